import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ScheduleEntry } from "../../core/types.ts";
import { DAY_MS, MINUTE_MS } from "../../core/units.ts";
import { boundsAt, Timetable } from "../../scaler/schedule.ts";
import { type Line, lastMatchByWallClock, line, lineAndNow } from "./wall-clock.ts";

function entryOf({ cron, zone }: Line, maxReplicas: number): ScheduleEntry {
  return { cron, timeZone: zone, minReplicas: 1, maxReplicas };
}

test("the entry in force is the one that the clocks on the walls showed last, over every change of clocks", () => {
  let decidedByTime = 0;
  fc.assert(
    fc.property(lineAndNow, line, (first, second) => {
      const { nowMs } = first;
      const lines = [first.line, second];
      const matches = lines.map((each) => lastMatchByWallClock(each, nowMs, nowMs - 9 * DAY_MS));
      const [a, b] = matches;
      // Within nine days each line without a day of the month has come.
      assert.ok(a !== undefined && b !== undefined);
      const schedule = lines.map((each, index) => entryOf(each, index + 1));
      const inForce = boundsAt(schedule, nowMs);
      assert.equal(inForce?.maxReplicas, b >= a ? 2 : 1, `${new Date(a).toJSON()} ${new Date(b).toJSON()}`);
      if (a !== b) decidedByTime += 1;
    }),
    { numRuns: 400 },
  );
  assert.ok(decidedByTime > 100);
});

test("a line matches at the very minute that it says, and holds from then on", () => {
  fc.assert(
    fc.property(lineAndNow, ({ line: each, nowMs }) => {
      const matchMs = lastMatchByWallClock(each, nowMs, nowMs - 9 * DAY_MS) ?? assert.fail();
      // An entry that comes each minute tells the minute of the other by giving way to it.
      const everyMinute = { cron: "* * * * *", minReplicas: 1, maxReplicas: 1 };
      const schedule = [everyMinute, entryOf(each, 2)];
      assert.equal(boundsAt(schedule, matchMs)?.maxReplicas, 2);
      assert.equal(boundsAt(schedule, matchMs + MINUTE_MS - 1)?.maxReplicas, 2);
      const before = lastMatchByWallClock(each, matchMs - 1, matchMs - MINUTE_MS);
      assert.equal(boundsAt(schedule, matchMs - 1)?.maxReplicas, before === undefined ? 1 : 2);
    }),
    { numRuns: 200 },
  );
});

test("a timetable says at every instant what is worked out anew, however time goes", () => {
  fc.assert(
    fc.property(
      lineAndNow,
      line,
      fc.array(fc.integer({ min: -3 * 24 * 60, max: 3 * 24 * 60 }), { minLength: 1, maxLength: 20 }),
      ({ line: first, nowMs }, second, jumps) => {
        const schedule = [entryOf(first, 5), entryOf(second, 7)];
        const timetable = new Timetable(schedule);
        for (const minutes of [0, ...jumps]) {
          const atMs = nowMs + minutes * MINUTE_MS;
          assert.deepEqual(timetable.boundsAt(atMs), boundsAt(schedule, atMs));
        }
      },
    ),
    { numRuns: 100 },
  );
});
