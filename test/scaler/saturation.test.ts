import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Rule } from "../../core/types.ts";
import {
  alike,
  CALM,
  evaluate,
  MAX_CPU_70,
  NOW_MS,
  policyOf,
  type ServingReplica,
  targetOf,
} from "./builders.ts";

const ENFORCED: Rule = { ...MAX_CPU_70, enforced: true };
const STEP = policyOf({ rules: [ENFORCED], maxReplicas: 50 });
const TARGET = targetOf({ rules: [ENFORCED], maxReplicas: 50 });

function isSaturated(cores: number, rule: Rule, heldBackRatio?: number): boolean {
  const { verdicts } = evaluate({
    serving: alike(2, cores),
    policy: policyOf({ rules: [rule] }),
    ...(heldBackRatio === undefined ? {} : { heldBackRatio }),
  });
  return verdicts[0]?.saturated === true;
}

describe("replicas are saturated", () => {
  test("from 97 % of a capacity on that the engine enforces", () => {
    assert.equal(isSaturated(0.97, ENFORCED), true);
    assert.equal(isSaturated(0.96, ENFORCED), false);
  });

  test("at no level of a capacity that nothing enforces: they could take more", () => {
    assert.equal(isSaturated(1.5, MAX_CPU_70), false);
  });

  test("when they wait for CPU for a fifth of the time, and are near the threshold", () => {
    assert.equal(isSaturated(0.64, MAX_CPU_70, 0.2), true);
    assert.equal(isSaturated(0.64, MAX_CPU_70, 0.19), false);
    assert.equal(isSaturated(0.62, MAX_CPU_70, 0.9), false);
  });

  test("as the last moments are, not as the window was", () => {
    const at = (mean: number, burst: number) =>
      evaluate({ serving: [{ cpu: { mean, burst, newestAtMs: NOW_MS } }], policy: STEP }).verdicts[0]
        ?.saturated;
    assert.equal(at(0.5, 1), true);
    assert.equal(at(1, 0.5), undefined);
  });

  test("in CPU only: memory that is full takes no more than it has", () => {
    const rule: Rule = { metric: "memory", max: 0.8, capacity: 1_000, enforced: true };
    const serving = [{ memory: { mean: 1_000, newestAtMs: NOW_MS } }];
    assert.equal(
      evaluate({ serving, policy: policyOf({ rules: [rule] }) }).verdicts[0]?.saturated,
      undefined,
    );
  });
});

describe("a saturated service", () => {
  test("grows by at least half, where it grows by steps", () => {
    const after = (replicas: number, step: number) =>
      evaluate({ serving: alike(replicas, 1), policy: { ...STEP, step } }).to;
    assert.deepEqual([after(1, 1), after(4, 1), after(5, 1), after(10, 1)], [2, 6, 8, 15]);
    assert.deepEqual([after(4, 2), after(4, 5)], [6, 9]);
  });

  test("is taken to want two and a half times what it gets, where it follows a target", () => {
    // 2 × 2.5 / 0.7 = 7.1, and unsaturated at 96 %: 1.92 / 0.7 = 2.7.
    assert.equal(evaluate({ serving: alike(2, 1), policy: TARGET }).to, 7);
    assert.equal(evaluate({ serving: alike(2, 0.96), policy: TARGET }).to, 3);
  });

  test("grows so as well when it waits for CPU at a level only just too high", () => {
    // What can be seen is 1.44 / 0.7 = 2.1.
    assert.equal(evaluate({ serving: alike(2, 0.72), policy: TARGET }).to, 2);
    assert.ok(evaluate({ serving: alike(2, 0.72), policy: TARGET, heldBackRatio: 0.3 }).to > 2);
  });

  test("does not grow because of one that is silent: it hides no more than the others", () => {
    // Held back until a moment ago, and with next to nothing to do now.
    const calming = { cpu: { mean: 0.7, burst: 0.14, newestAtMs: NOW_MS } };
    const of = (...serving: ServingReplica[]) =>
      evaluate({ serving, desired: 1, policy: TARGET, heldBackRatio: 0.3 }).to;
    assert.deepEqual([of(calming, calming), of(calming, {})], [1, 1]);
  });

  test("does not grow so again while that help is on its way", () => {
    const ordered = evaluate({ serving: alike(4, 1), policy: TARGET }).to;
    assert.equal(evaluate({ serving: alike(4, 1), desired: ordered, policy: TARGET }).to, ordered);
    assert.equal(evaluate({ serving: alike(4, 1), desired: 6, policy: STEP }).to, 6);
  });

  test("takes back what was too much as soon as the load is seen", () => {
    // The 2.2 that hid behind two saturated replicas: 2.2 / 0.7 = 3.1.
    const evaluation = evaluate({ serving: alike(7, 2.2 / 7), policy: TARGET, memory: CALM });
    assert.equal(evaluation.to, 3);
  });

  test("keeps its bounds", () => {
    const policy = { ...TARGET, maxReplicas: 4 };
    assert.deepEqual(evaluate({ serving: alike(2, 1), policy }).limits, [
      { limit: "bounds", from: 7, to: 4 },
    ]);
  });
});
