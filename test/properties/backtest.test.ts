import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { oracle } from "../../scaler/backtest/anchors/oracle.ts";
import type { Situation } from "../../scaler/backtest/autoscaler.ts";
import { ANCHORS } from "../../scaler/backtest/policies.ts";
import { scoresOf } from "../../scaler/backtest/scores.ts";
import { type Run, simulate } from "../../scaler/backtest/simulate.ts";
import { loadOfDemand, situationOf } from "../scaler/backtest/situations.ts";

/** Levels that hold for a while, as loads do. */
const demand = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 600 })), {
    minLength: 1,
    maxLength: 12,
  })
  .map((phases) => phases.flatMap(([steps, tenths]) => Array.from({ length: steps }, () => tenths / 10)));

const situation: fc.Arbitrary<Situation> = fc
  .record({
    demand,
    stepMs: fc.constantFrom(1_000, 5_000),
    startDelayMs: fc.constantFrom(0, 3_000, 10_000, 90_000),
    minReplicas: fc.integer({ min: 1, max: 4 }),
    range: fc.nat(60),
  })
  .map(({ demand, stepMs, startDelayMs, minReplicas, range }) =>
    situationOf(loadOfDemand(demand, stepMs), {
      startDelayMs,
      minReplicas,
      maxReplicas: minReplicas + range,
    }),
  );

/** Any policy: the next of these counts at every step, again and again. */
const script = fc.array(fc.integer({ min: -5, max: 80 }), { minLength: 1, maxLength: 30 });

function replay(situation: Situation, counts: readonly number[]): Run {
  let step = 0;
  const next = () => {
    step += 1;
    return counts[step % counts.length] ?? 1;
  };
  return simulate(situation, { name: "any", next });
}

function missing({ load, serving }: Run): number {
  return load.demand.reduce((sum, asked, step) => sum + Math.max(asked - 0.8 * (serving[step] ?? 0), 0), 0);
}

describe("whatever the load and the policy", () => {
  test("the counts stay within the bounds, and no more serve than were ordered", () => {
    fc.assert(
      fc.property(situation, script, (given, counts) => {
        const { ordered, serving } = replay(given, counts);
        for (const [step, count] of ordered.entries()) {
          assert.ok(count >= given.minReplicas && count <= given.maxReplicas);
          assert.ok((serving[step] ?? 0) >= 1 && (serving[step] ?? 0) <= count);
        }
      }),
    );
  });

  test("all that was ordered serves once the count has stood for the start delay", () => {
    fc.assert(
      fc.property(situation, script, (given, counts) => {
        const { ordered, serving, load } = replay(given, counts);
        let stoodFor = 0;
        for (const [step, count] of ordered.entries()) {
          stoodFor = step > 0 && count === ordered[step - 1] ? stoodFor + load.stepMs : 0;
          if (stoodFor >= given.startDelayMs) assert.equal(serving[step], count);
        }
      }),
    );
  });

  test("the oracle has the least overload of all", () => {
    fc.assert(
      fc.property(situation, script, (given, counts) => {
        const least = missing(simulate(given, oracle(given))) - 1e-9;
        assert.ok(missing(replay(given, counts)) >= least);
        for (const make of Object.values(ANCHORS)) assert.ok(missing(simulate(given, make(given))) >= least);
      }),
    );
  });

  test("more start delay never helps the oracle", () => {
    fc.assert(
      fc.property(situation, fc.nat(60_000), (given, laterMs) => {
        const later = { ...given, startDelayMs: given.startDelayMs + laterMs };
        assert.ok(missing(simulate(later, oracle(later))) >= missing(simulate(given, oracle(given))) - 1e-9);
      }),
    );
  });

  test("every score is a number, and shares are shares", () => {
    fc.assert(
      fc.property(situation, script, (given, counts) => {
        const scores = scoresOf(replay(given, counts));
        for (const value of Object.values(scores)) assert.ok(Number.isFinite(value) && value >= 0);
        for (const share of [
          scores.overloadPercent,
          scores.thetaU,
          scores.tauU,
          scores.tauO,
          scores.tauU + scores.tauO,
        ]) {
          assert.ok(share <= 100 + 1e-9);
        }
        assert.ok(scores.reversalsPerHour <= scores.adaptationsPerHour);
      }),
    );
  });
});
