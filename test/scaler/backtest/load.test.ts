import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { loadOf, peakOf, replicasFor } from "../../../scaler/backtest/load.ts";
import { traceOf } from "../../../scaler/backtest/trace.ts";

const DAY_S = 86_400;

function trace(stepSeconds: number, values: readonly number[], fromSeconds = 0) {
  const timesMs = Float64Array.from(values, (_, index) => (fromSeconds + index * stepSeconds) * 1_000);
  return traceOf("load.csv", timesMs, Float64Array.from(values));
}

describe("the load of a trace", () => {
  test("holds each value until the next, in steps of 5 s, and the last for as long as the others", () => {
    const load = loadOf(trace(10, [3, 1, 2]), 1);
    assert.equal(load.stepMs, 5_000);
    assert.deepEqual([...load.demand], [3, 3, 1, 1, 2, 2]);
  });

  test("holds a value over a gap", () => {
    const times = Float64Array.of(0, 10_000, 40_000, 50_000);
    const load = loadOf(traceOf("load.csv", times, Float64Array.of(1, 2, 3, 4)), 1);
    assert.deepEqual([...load.demand], [1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 4, 4]);
  });

  test("goes in steps of 1 s where the trace's own are of 1 s", () => {
    const load = loadOf(trace(1, [1, 2, 3]), 1);
    assert.deepEqual([load.stepMs, [...load.demand]], [1_000, [1, 2, 3]]);
  });

  test("starts when the trace starts", () => {
    assert.equal(loadOf(trace(60, [1, 2], 1_700_000_000), 1).startMs, 1_700_000_000_000);
  });

  test("is scaled so that its 99.9th percentile is 16 replicas at full CPU: 20 at the service level", () => {
    // 2000 samples: two are above the 1998th, which is the percentile by nearest rank.
    const load = loadOf(
      trace(5, [...Array.from({ length: 1_998 }, (_, index) => index + 1), 9_000, 9_999]),
      "auto",
    );
    assert.equal(load.capacity, 1_998 / 16);
    assert.equal(peakOf(load), 16);
    assert.equal(replicasFor(peakOf(load)), 20);
    assert.equal(load.demand.at(-1), 9_999 / (1_998 / 16));
  });

  test("can be scaled by hand", () => {
    assert.deepEqual([...loadOf(trace(5, [100, 50]), 25).demand], [4, 2]);
  });

  test("is scored after seven days when it is longer than ten, and all of it when it is not", () => {
    const hourly = (days: number) =>
      loadOf(
        trace(
          3_600,
          Array.from({ length: days * 24 }, () => 1),
        ),
        1,
      );
    assert.equal(hourly(10).scoredFrom, 0);
    assert.equal(hourly(11).scoredFrom, (7 * DAY_S) / 5);
  });

  test("that is zero cannot be scaled by itself", () => {
    assert.throws(() => loadOf(trace(60, [0, 0, 0]), "auto"), /99\.9th percentile of 0; give --capacity N/);
    assert.deepEqual([...loadOf(trace(5, [0, 0]), 1).demand], [0, 0]);
  });

  test("of milliseconds taken for seconds is refused before it fills the memory", () => {
    assert.throws(
      () =>
        loadOf(
          trace(
            3_600_000,
            Array.from({ length: 100_000 }, () => 1),
          ),
          1,
        ),
      /at most 20000000 steps of 5 s, got 72000000000; are the timestamps seconds\?/,
    );
  });

  test("takes one replica at least, and at 80 % no more than its share", () => {
    assert.deepEqual([0, 0.8, 0.81, 1.6, 16, 16.1].map(replicasFor), [1, 1, 2, 2, 20, 21]);
  });
});
