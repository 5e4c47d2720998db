import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Decision, ScalingPolicy } from "../../core/types.ts";
import { policyOf } from "../scaler/builders.ts";
import { ClosedLoop, shareOf } from "../scaler/closed-loop.ts";

/** Evenly spread, where doubles would be near zero most of the time. */
function hundredths(min: number, max: number): fc.Arbitrary<number> {
  return fc.integer({ min: min * 100, max: max * 100 }).map((hundredth) => hundredth / 100);
}

interface Steady {
  readonly policy: ScalingPolicy;
  readonly replicas: number;
  readonly startupMs: number;
  /** In replicas' worth of work. */
  readonly demand: number;
}

const policy: fc.Arbitrary<ScalingPolicy> = fc
  .record({
    max: hundredths(0.2, 0.95),
    minShare: fc.option(hundredths(0.1, 0.99)),
    minReplicas: fc.integer({ min: 1, max: 3 }),
    range: fc.nat(9),
    step: fc.integer({ min: 1, max: 5 }),
    windowMs: fc.constantFrom(2_000, 5_000, 10_000, 30_000),
    cooldownMs: fc.constantFrom(0, 5_000, 15_000, 60_000),
    stabilizationMs: fc.constantFrom(0, 5_000, 30_000, 60_000),
  })
  .map(({ max, minShare, range, ...rest }) =>
    policyOf({
      ...rest,
      rules: [
        {
          metric: "cpu",
          capacity: 0.5,
          max,
          ...(minShare === null ? {} : { min: max * minShare }),
        },
      ],
      maxReplicas: rest.minReplicas + range,
    }),
  );

/** The labels that flap elsewhere: 75 % of one replica is 25 % of three. */
const flapping = fc
  .record({ stabilizationMs: fc.constantFrom(0, 30_000), cooldownMs: fc.constantFrom(0, 15_000) })
  .map((times) =>
    policyOf({ ...times, step: 2, rules: [{ metric: "cpu", max: 0.7, min: 0.3, capacity: 1 }] }),
  );

const steady: fc.Arbitrary<Steady> = fc.record({
  policy: fc.oneof(policy, flapping),
  replicas: fc.integer({ min: 1, max: 12 }),
  startupMs: fc.constantFrom(0, 2_000, 10_000, 25_000),
  demand: hundredths(0, 6),
});

function changesOf(loop: ClosedLoop, seconds: number): Decision[] {
  const changes: Decision[] = [];
  for (let second = 0; second < seconds; second += 1) {
    const decision = loop.step();
    if (decision.to !== decision.from) changes.push(decision);
  }
  return changes;
}

/** Scale-outs after a scale-in: at a steady load that one was wrong. A step out may have been larger than needed. */
function undone(changes: readonly Decision[]): string[] {
  return changes.flatMap((change, index) => {
    const before = changes[index - 1];
    if (before === undefined || before.to > before.from || change.to < change.from) return [];
    return [`${before.sentence} — ${change.sentence}`];
  });
}

test("under a constant load no scale-in is ever undone, and after a while nothing changes any more", () => {
  fc.assert(
    fc.property(steady, ({ demand, ...situation }) => {
      const loop = new ClosedLoop({
        ...situation,
        read: (_second, _slot, serving) => ({ cpu: shareOf(demand, serving) }),
      });
      assert.deepEqual(undone(changesOf(loop, 900)), []);
      assert.deepEqual(changesOf(loop, 300), []);
    }),
    { numRuns: 100 },
  );
});

/** Numbers from 0 to 1 that look like chance and are the same for the same seed. */
function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

test("under a steady load that is read up to 15 % too high or too low no scale-in is undone within an hour", () => {
  fc.assert(
    fc.property(steady, fc.integer(), fc.boolean(), ({ demand, policy, ...situation }, seed, together) => {
      // Without a stabilization window worth the name a person asks for every dip to be answered.
      const stabilizationMs = Math.max(policy.stabilizationMs ?? 0, 30_000);
      const next = chance(seed);
      let common = 1;
      const loop = new ClosedLoop({
        ...situation,
        policy: { ...policy, stabilizationMs },
        read: (_second, slot, serving) => {
          // One crowd that comes and goes, or replicas that are each busy for themselves.
          if (slot === 1 || !together) common = 0.85 + 0.3 * next();
          return { cpu: Math.min(shareOf(demand, serving) * common, 1) };
        },
      });
      assert.deepEqual(undone(changesOf(loop, 3_600)), []);
    }),
    { numRuns: 25 },
  );
});
