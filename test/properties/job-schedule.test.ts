import assert from "node:assert/strict";
import { test } from "node:test";
import { CronExpressionParser } from "cron-parser";
import fc from "fast-check";
import { CronLine } from "../../core/cron.ts";
import { messageOf } from "../../core/errors.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../../core/units.ts";
import { dueNow } from "../../orchestrator/jobs/due.ts";
import { field, lastMatchByWallClock, lineAndNow, WallClock, ZONES } from "./wall-clock.ts";

const clocks = new Map(ZONES.map((zone) => [zone as string, new WallClock(zone)]));

/** With the second first, in any of these. */
const sixFields = fc
  .record({
    second: field(0, 59),
    minute: field(0, 59),
    hour: field(0, 23),
    day: fc.oneof({ weight: 2, arbitrary: fc.constant({ text: "*" }) }, field(1, 31)),
    month: fc.oneof({ weight: 3, arbitrary: fc.constant({ text: "*" }) }, field(1, 12)),
    weekday: fc.oneof({ weight: 2, arbitrary: fc.constant({ text: "*" }) }, field(0, 6)),
    zone: fc.constantFrom(...ZONES),
    hasSecond: fc.boolean(),
  })
  .map(({ second, minute, hour, day, month, weekday, zone, hasSecond }) => {
    const fields = [minute, hour, day, month, weekday].map(({ text }) => text).join(" ");
    return { cron: hasSecond ? `${second.text} ${fields}` : fields, zone };
  })
  // Nothing comes on the 31st of February.
  .filter(({ cron, zone }) => new CronLine(cron, zone).everMatches);

/** As far as it comes: at changes of half an hour it gives up on some lines. */
function matchesByLibrary(cron: string, zone: string, fromMs: number, most: number): number[] {
  const parser = CronExpressionParser.parse(cron, { currentDate: new Date(fromMs), tz: zone });
  const found: number[] = [];
  try {
    while (found.length < most) found.push(parser.next().getTime());
  } catch (error) {
    assert.match(messageOf(error), /loop limit exceeded/);
  }
  return found;
}

/** Where libraries differ in what they make of the hours that are skipped or repeated. */
function isNearChange(zone: string, atMs: number): boolean {
  const clock = clocks.get(zone) ?? assert.fail();
  return clock.offsetMs(atMs - 3 * HOUR_MS) !== clock.offsetMs(atMs + 3 * HOUR_MS);
}

test("a line matches when an independent library says so, in every time zone, away from the changes of its clock", () => {
  const matches = 12;
  let compared = 0;
  fc.assert(
    fc.property(
      sixFields,
      fc.integer({ min: Date.UTC(2025, 0, 1), max: Date.UTC(2031, 0, 1) }),
      ({ cron, zone }, fromMs) => {
        const line = new CronLine(cron, zone);
        const ours: number[] = [];
        for (let atMs = line.nextMatchMs(fromMs); atMs !== undefined && ours.length < matches; ) {
          ours.push(atMs);
          atMs = line.nextMatchMs(atMs);
        }
        const theirs = matchesByLibrary(cron, zone, fromMs, matches);
        const endMs = Math.min(ours.at(-1) ?? fromMs, theirs.at(-1) ?? fromMs);
        const calm = (atMs: number) => atMs <= endMs && !isNearChange(zone, atMs);
        assert.deepEqual(ours.filter(calm), theirs.filter(calm), cron);
        compared += ours.filter(calm).length;
      },
    ),
    { numRuns: 400 },
  );
  assert.ok(compared > 1_500, `only ${compared} were compared`);
});

test("the last match that is not after an instant is the one before the next: no line forgets a match on the way back", () => {
  fc.assert(
    fc.property(
      sixFields,
      fc.integer({ min: Date.UTC(2025, 0, 1), max: Date.UTC(2031, 0, 1) }),
      ({ cron, zone }, fromMs) => {
        const line = new CronLine(cron, zone);
        const next = line.nextMatchMs(fromMs) ?? assert.fail();
        assert.equal(line.lastMatchMs(next), next);
        const grainMs = cron.split(" ").length === 6 ? SECOND_MS : MINUTE_MS;
        assert.equal(line.lastMatchMs(next + grainMs - 1), next);
        const last = line.lastMatchMs(fromMs);
        assert.ok(last === undefined || (last <= fromMs && line.nextMatchMs(last) === next));
      },
    ),
    { numRuns: 400 },
  );
});

test("over every change of clocks each match is due once, whatever the pace of the looks", () => {
  let seen = 0;
  fc.assert(
    fc.property(
      lineAndNow,
      fc.array(fc.integer({ min: 500, max: 40 * MINUTE_MS }), { minLength: 5, maxLength: 40 }),
      ({ line, nowMs }, steps) => {
        const startMs = nowMs - 4 * HOUR_MS;
        const lines = [{ cron: line.cron, timeZone: line.zone }];
        const told: number[] = [];
        let accountedMs = startMs;
        let atMs = startMs;
        for (const step of steps) {
          atMs += step;
          const answer = dueNow({
            lines,
            accountedMs,
            known: new Set(),
            catchUp: "all",
            catchUpAgeMs: DAY_MS,
            nowMs: atMs,
          });
          accountedMs = answer.accountedMs;
          told.push(...answer.due.map(({ dueAtMs }) => dueAtMs));
          assert.deepEqual(answer.missed, []);
        }
        const expected: number[] = [];
        for (
          let minuteMs = Math.floor(startMs / MINUTE_MS + 1) * MINUTE_MS;
          minuteMs <= atMs;
          minuteMs += MINUTE_MS
        ) {
          if (lastMatchByWallClock(line, minuteMs, minuteMs) !== undefined) expected.push(minuteMs);
        }
        assert.deepEqual(told, expected, `${line.cron} ${line.zone}`);
        seen += told.length;
      },
    ),
    { numRuns: 200 },
  );
  assert.ok(seen > 1_000, `only ${seen} were due`);
});
