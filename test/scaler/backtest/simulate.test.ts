import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Observation } from "../../../scaler/backtest/autoscaler.ts";
import { simulate } from "../../../scaler/backtest/simulate.ts";
import { loadOfDemand, prompt, SECOND_MS, scripted, situationOf } from "./situations.ts";

function countsOf(demand: readonly number[], script: readonly number[], startDelaySeconds: number) {
  const situation = situationOf(loadOfDemand(demand), { startDelayMs: startDelaySeconds * SECOND_MS });
  const { ordered, serving } = simulate(situation, scripted(...script));
  return { ordered: [...ordered], serving: [...serving] };
}

describe("a simulation", () => {
  test("starts with what the first demand takes, all of it serving", () => {
    const { serving } = countsOf([3.2, 3.2], [4, 4], 10);
    assert.deepEqual(serving, [4, 4]);
  });

  test("lets a replica serve as soon as its start delay is over, and not before", () => {
    assert.deepEqual(countsOf([0.5, 0.5, 0.5, 0.5], [3, 3, 3, 3], 10).serving, [1, 1, 3, 3]);
    assert.deepEqual(countsOf([0.5, 0.5, 0.5, 0.5], [3, 3, 3, 3], 7).serving, [1, 1, 3, 3]);
    assert.deepEqual(countsOf([0.5, 0.5, 0.5, 0.5], [3, 3, 3, 3], 5).serving, [1, 3, 3, 3]);
    assert.deepEqual(countsOf([0.5, 0.5, 0.5, 0.5], [3, 3, 3, 3], 0).serving, [3, 3, 3, 3]);
  });

  test("stops a removed replica at once", () => {
    assert.deepEqual(countsOf([3.2, 3.2, 3.2], [4, 1, 1], 10).serving, [4, 1, 1]);
  });

  test("removes those on their way first, the latest order first", () => {
    // 2 are ordered at 0 s and 3 at 5 s; at 10 s, 4 are taken back: the later 3, and 1 of the earlier.
    assert.deepEqual(countsOf([0.5, 0.5, 0.5, 0.5, 0.5], [3, 6, 2, 2, 2], 15), {
      ordered: [3, 6, 2, 2, 2],
      serving: [1, 1, 1, 2, 2],
    });
  });

  test("begins to serve before it removes", () => {
    assert.deepEqual(countsOf([0.5, 0.5, 0.5], [3, 3, 2], 10).serving, [1, 1, 2]);
  });

  test("holds every count within the bounds", () => {
    const situation = situationOf(loadOfDemand([0, 0, 0]), {
      minReplicas: 2,
      maxReplicas: 5,
      startDelayMs: 0,
    });
    assert.deepEqual([...simulate(situation, scripted(0, 9, -4)).serving], [2, 5, 2]);
  });

  test("shows the demand of this very step, as a share that saturates", () => {
    const seen: Observation[] = [];
    const watcher = {
      name: "watcher",
      next: (observation: Observation) => {
        seen.push({ ...observation });
        return 2;
      },
    };
    simulate(situationOf(loadOfDemand([0.8, 1.2, 4]), { initialReplicas: 2, startDelayMs: 0 }), watcher);
    assert.deepEqual(seen, [
      { nowMs: 0, desired: 2, serving: 2, utilization: 0.4, demand: 0.8 },
      { nowMs: 5_000, desired: 2, serving: 2, utilization: 0.6, demand: 1.2 },
      { nowMs: 10_000, desired: 2, serving: 2, utilization: 1, demand: 4 },
    ]);
  });

  test("of the same policy on the same load is always the same", () => {
    const demand = Array.from({ length: 500 }, (_, step) => 3 + 3 * Math.sin(step / 20));
    const run = () => simulate(situationOf(loadOfDemand(demand)), prompt());
    assert.deepEqual(run(), run());
  });
});
