import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { needed, recordNeed, remainingNeed, startNeedHistory } from "../../scaler/need-history.ts";

const START_MS = 1_000_000;
const WINDOW_MS = 50_000;

describe("what was needed", () => {
  test("is all there is, as long as nothing else was seen", () => {
    assert.equal(needed(startNeedHistory(START_MS, 4, WINDOW_MS)), 4);
  });

  test("is nothing without a window", () => {
    const history = recordNeed(startNeedHistory(START_MS, 4, 0), START_MS, 9);
    assert.equal(needed(history), 0);
    assert.equal(remainingNeed(history, START_MS, 1), 0);
  });

  test("rises at once, also within a part of the window", () => {
    const history = recordNeed(startNeedHistory(START_MS, 4, WINDOW_MS), START_MS + 1, 6);
    assert.equal(needed(history), 6);
  });

  test("counts the peak of a part and not its end", () => {
    const peak = recordNeed(startNeedHistory(START_MS, 1, WINDOW_MS), START_MS + 1, 6);
    assert.equal(needed(recordNeed(peak, START_MS + 2, 1)), 6);
  });

  test("of a time that nobody looked at was no less than before and after it", () => {
    const before = recordNeed(startNeedHistory(START_MS, 1, WINDOW_MS), START_MS, 6);
    assert.equal(needed(recordNeed(before, START_MS + 10 * WINDOW_MS, 1)), 6);
    assert.equal(needed(recordNeed(before, START_MS + 10 * WINDOW_MS, 8)), 8);
  });

  test("takes a handful of numbers, however often it is recorded", () => {
    let history = startNeedHistory(START_MS, 4, WINDOW_MS);
    for (let second = 0; second < 1_000; second += 1) {
      history = recordNeed(history, START_MS + second * 1_000, second % 7);
    }
    assert.equal(history.peaks.length, 6);
  });
});

describe("the time until a need is forgotten", () => {
  const peak = recordNeed(startNeedHistory(START_MS, 1, WINDOW_MS), START_MS, 6);

  test("is told, and is then over", () => {
    const leftMs = remainingNeed(peak, START_MS, 1);
    assert.equal(leftMs, 60_000);
    let history = peak;
    for (let passedMs = 1_000; passedMs < leftMs; passedMs += 1_000) {
      history = recordNeed(history, START_MS + passedMs, 1);
      assert.equal(needed(history), 6, `forgotten after ${passedMs} ms`);
      assert.equal(remainingNeed(history, START_MS + passedMs, 1), leftMs - passedMs);
    }
    assert.equal(needed(recordNeed(history, START_MS + leftMs, 1)), 1);
  });

  test("is none for what is not below it", () => {
    assert.equal(remainingNeed(peak, START_MS, 6), 0);
  });

  test("is no longer than the window and its fifth when the clock is set back", () => {
    const setBackMs = START_MS - 86_400_000;
    const history = recordNeed(peak, setBackMs, 1);
    assert.equal(needed(history), 6);
    assert.equal(remainingNeed(history, setBackMs, 1), 60_000);
  });
});
