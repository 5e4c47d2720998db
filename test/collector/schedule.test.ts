import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { nextTick } from "../../collector/schedule.ts";

describe("the schedule", () => {
  const schedule = { startMs: 100.5, intervalMs: 1_000 };

  test("does not drift when each tick is a little late", () => {
    const due: number[] = [];
    let tick = 0;
    for (let round = 0; round < 4; round += 1) {
      const next = nextTick(schedule, tick, 100.5 + tick * 1_000 + 37);
      due.push(next.dueMs);
      tick = next.tick;
    }
    assert.deepEqual(due, [1_100.5, 2_100.5, 3_100.5, 4_100.5]);
  });

  test("leaves out what a pause missed, and makes no burst after it", () => {
    assert.deepEqual(nextTick(schedule, 3, 100.5 + 60_250), { tick: 61, dueMs: 61_100.5 });
  });

  test("makes no tick twice when the timer fired early", () => {
    assert.deepEqual(nextTick(schedule, 4, 100.5 + 3_999.7), { tick: 5, dueMs: 5_100.5 });
  });
});
