import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ScheduleEntry } from "../../core/types.ts";
import { DAY_MS, MINUTE_MS } from "../../core/units.ts";
import { boundsAt, Timetable } from "../../scaler/schedule.ts";

const at = (text: string) => Date.parse(text);
const entry = (cron: string, minReplicas: number, maxReplicas: number, timeZone?: string): ScheduleEntry => ({
  cron,
  minReplicas,
  maxReplicas,
  ...(timeZone === undefined ? {} : { timeZone }),
});

const OFFICE_HOURS = [
  entry("0 8 * * 1-5", 4, 20, "Europe/Berlin"),
  entry("0 20 * * *", 1, 6, "Europe/Berlin"),
];

describe("the bounds of a schedule", () => {
  test("are those of the entry that came last, and say which it was", () => {
    assert.deepEqual(boundsAt(OFFICE_HOURS, at("2026-11-20T12:00:00Z")), {
      minReplicas: 4,
      maxReplicas: 20,
      schedule: "0 8 * * 1-5 Europe/Berlin",
    });
    assert.equal(boundsAt(OFFICE_HOURS, at("2026-11-21T12:00:00Z"))?.maxReplicas, 6, "a Saturday");
    assert.equal(boundsAt([entry("0 8 * * *", 2, 3)], at("2026-11-21T08:00:00Z"))?.schedule, "0 8 * * *");
  });

  test("change at the minute, by the clock on the wall in summer as in winter", () => {
    const maxAt = (text: string) => boundsAt(OFFICE_HOURS, at(text))?.maxReplicas;
    assert.deepEqual([maxAt("2026-11-20T06:59:59.999Z"), maxAt("2026-11-20T07:00:00Z")], [6, 20]);
    assert.deepEqual([maxAt("2026-07-20T05:59:59.999Z"), maxAt("2026-07-20T06:00:00Z")], [6, 20]);
  });

  test("of a time that the clocks skip begin right after the gap", () => {
    const night = [entry("30 2 * * *", 5, 5, "Europe/Berlin"), entry("0 1 * * *", 1, 1, "Europe/Berlin")];
    const maxAt = (text: string) => boundsAt(night, at(text))?.maxReplicas;
    assert.deepEqual([maxAt("2026-03-29T00:59:00Z"), maxAt("2026-03-29T01:00:00Z")], [1, 5]);
  });

  test("of two entries at the same minute are the later one's", () => {
    const both = [entry("0 0 * * *", 1, 2), entry("0 * * * *", 3, 4)];
    assert.equal(boundsAt(both, at("2026-11-21T00:30:00Z"))?.maxReplicas, 4);
    assert.equal(boundsAt(both.toReversed(), at("2026-11-21T00:30:00Z"))?.maxReplicas, 2);
  });

  test("do not exist without an entry, nor when the last came more than a year ago", () => {
    assert.equal(boundsAt([], at("2026-11-21T00:00:00Z")), undefined);
    const leapDay = [entry("0 0 29 2 *", 3, 9)];
    assert.equal(boundsAt(leapDay, at("2024-12-31T00:00:00Z"))?.maxReplicas, 9);
    assert.equal(boundsAt(leapDay, at("2026-01-01T00:00:00Z")), undefined);
    const leapTable = new Timetable(leapDay);
    const endMs = at("2024-02-29T00:00:00Z") + 366 * DAY_MS;
    assert.deepEqual(
      [endMs, endMs + MINUTE_MS, endMs].map((nowMs) => leapTable.boundsAt(nowMs)?.maxReplicas),
      [9, undefined, 9],
    );
  });

  test("are read in time that does not grow with how often they are asked for", () => {
    const timetable = new Timetable(OFFICE_HOURS);
    const seen = new Set<number | undefined>();
    const fromMs = at("2026-11-16T00:00:00Z");
    const started = process.cpuUsage();
    for (let nowMs = fromMs; nowMs < fromMs + 7 * DAY_MS; nowMs += MINUTE_MS / 60) {
      seen.add(timetable.boundsAt(nowMs)?.maxReplicas);
    }
    const { user } = process.cpuUsage(started);
    assert.deepEqual(seen, new Set([6, 20]));
    // 604,800 questions: worked out anew each time, they would take minutes.
    assert.ok(user < 10_000_000, `took ${user / 1e6} s`);
  });
});
