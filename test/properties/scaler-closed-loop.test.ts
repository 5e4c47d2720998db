import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Decision, ScalingPolicy } from "../../core/types.ts";
import { NOW_MS, policyOf } from "../scaler/builders.ts";
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
    kind: fc.constantFrom("step", "target"),
    enforced: fc.boolean(),
    max: hundredths(0.2, 0.95),
    minShare: fc.option(hundredths(0.1, 0.99)),
    minReplicas: fc.integer({ min: 1, max: 3 }),
    range: fc.nat(9),
    step: fc.integer({ min: 1, max: 5 }),
    windowMs: fc.constantFrom(2_000, 5_000, 10_000, 30_000),
    cooldownMs: fc.constantFrom(0, 5_000, 15_000, 60_000),
    stabilizationMs: fc.constantFrom(undefined, 0, 5_000, 30_000, 60_000),
  })
  .map(({ max, minShare, range, enforced, stabilizationMs, ...rest }) => {
    const { stabilizationMs: _, ...defaults } = policyOf();
    return {
      ...defaults,
      ...rest,
      ...(stabilizationMs === undefined ? {} : { stabilizationMs }),
      rules: [
        {
          metric: "cpu",
          capacity: 0.5,
          max,
          ...(enforced ? { enforced } : {}),
          ...(minShare === null ? {} : { min: max * minShare }),
        },
      ],
      maxReplicas: rest.minReplicas + range,
    };
  });

/** The labels that flap elsewhere: 75 % of one replica is 25 % of three. */
const flapping = fc
  .record({ stabilizationMs: fc.constantFrom(0, 30_000), cooldownMs: fc.constantFrom(0, 15_000) })
  .map((times) =>
    policyOf({ ...times, step: 2, rules: [{ metric: "cpu", max: 0.7, min: 0.3, capacity: 1 }] }),
  );

const steady: fc.Arbitrary<Steady> = fc.record({
  policy: fc.oneof(policy, flapping),
  replicas: fc.integer({ min: 1, max: 12 }),
  startupMs: fc.constantFrom(0, 2_000, 10_000, 25_000, 60_000, 120_000),
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

/** Where one count becomes the next, to the last digit of a double, a constant load may fall on either side. */
function isOnTheEdge({ demand, policy }: Steady): boolean {
  const replicas = demand / (policy.rules[0]?.max ?? 1);
  const isNear = (count: number) => Math.abs(count - Math.round(count)) < 0.02;
  return policy.kind === "target" && (isNear(replicas + 0.5) || isNear(replicas / 1.1));
}

test("under a constant load no scale-in is ever undone, and after a while nothing changes any more", () => {
  fc.assert(
    fc.property(steady, (given) => {
      fc.pre(!isOnTheEdge(given));
      const { demand, ...situation } = given;
      const loop = new ClosedLoop({
        ...situation,
        read: (_second, _slot, serving) => ({ cpu: shareOf(demand, serving) }),
      });
      assert.deepEqual(undone(changesOf(loop, 900)), []);
      assert.deepEqual(changesOf(loop, 300), []);
    }),
    { numRuns: 200 },
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
      // Two readings do not tell what is noise, and as near to a target as this noise is decided by.
      const windowMs = policy.kind === "target" ? Math.max(policy.windowMs, 10_000) : policy.windowMs;
      const next = chance(seed);
      let common = 1;
      const loop = new ClosedLoop({
        ...situation,
        policy: { ...policy, stabilizationMs, windowMs },
        read: (_second, slot, serving) => {
          // One crowd that comes and goes, or replicas that are each busy for themselves.
          if (slot === 1 || !together) common = 0.85 + 0.3 * next();
          return { cpu: Math.min(shareOf(demand, serving) * common, 1) };
        },
      });
      assert.deepEqual(undone(changesOf(loop, 3_600)), []);
    }),
    { numRuns: 40 },
  );
});

/** In replicas at the threshold: in the middle between two counts, and close to where one becomes the other. */
const STEADY_LOADS = [0.6, 1, 1.52, 2.05, 2.24, 3.1, 4.5, 5.1, 6.2, 8.3];
const DAY_SECONDS = 24 * 3_600;
const { stabilizationMs: _learned, ...MAX_CPU_70 } = policyOf({ maxReplicas: 30 });

for (const kind of ["step", "target"] as const) {
  test(`by ${kind}, a day of steady load that is read up to 15 % too high or too low turns no change around`, () => {
    const policy: ScalingPolicy = { ...MAX_CPU_70, kind, cooldownMs: kind === "step" ? 15_000 : 0 };
    const turned = STEADY_LOADS.flatMap((load, index) => {
      const next = chance(index);
      const together = index % 2 === 0;
      let noise = 1;
      const loop = new ClosedLoop({
        policy,
        replicas: Math.ceil(load),
        startupMs: 10_000,
        read: (_second, slot, serving) => {
          if (slot === 1 || !together) noise = 0.85 + 0.3 * next();
          return { cpu: Math.min(shareOf(load * 0.7, serving) * noise, 1) };
        },
      });
      const changes = changesOf(loop, DAY_SECONDS);
      return changes.flatMap(({ atMs, from, to, sentence }, at) => {
        const before = changes[at - 1];
        const turns = before !== undefined && before.to > before.from !== to > from;
        return turns ? [`${load} after ${Math.round((atMs - NOW_MS) / 1_000)} s: ${sentence}`] : [];
      });
    });
    assert.deepEqual(turned, []);
  });
}
