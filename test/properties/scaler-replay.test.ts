import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Rule, ScalingPolicy } from "../../core/types.ts";
import { Governor } from "../../scaler/governor.ts";
import { replay } from "../../scaler/record.ts";
import { evaluationText, inputText, readEvaluation, readInput } from "../../scaler/record-text.ts";
import { whatIf } from "../../scaler/what-if.ts";
import { NOW_MS, policyOf, SERVICE } from "../scaler/builders.ts";

const RULES: readonly Rule[] = [
  { metric: "cpu", max: 0.7, capacity: 1, enforced: true },
  { metric: "memory", max: 0.8, min: 0.3, capacity: 1 },
  { metric: "latency", max: 250 },
];

const policies: fc.Arbitrary<ScalingPolicy> = fc
  .record({
    kind: fc.constantFrom("step", "target"),
    rules: fc.subarray([...RULES], { minLength: 1 }),
    step: fc.integer({ min: 1, max: 3 }),
    learns: fc.boolean(),
    scaleInsPerHour: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
    dryRun: fc.boolean(),
  })
  .map(({ learns, scaleInsPerHour, ...changes }) => {
    const { stabilizationMs: _, ...policy } = policyOf({
      ...changes,
      ...(scaleInsPerHour === undefined ? {} : { scaleInsPerHour }),
    });
    return learns ? policy : { ...policy, stabilizationMs: 30_000 };
  });

/** What each rule reads in a second, as a share of its threshold; undefined when nothing was read. */
const days = fc.array(
  fc.record({
    seconds: fc.integer({ min: 1, max: 90 }),
    share: fc.option(fc.double({ min: 0, max: 3, noNaN: true }), { nil: undefined, freq: 8 }),
    burst: fc.double({ min: 0.5, max: 2, noNaN: true }),
    startupMs: fc.integer({ min: 0, max: 120_000 }),
  }),
  { minLength: 1, maxLength: 60 },
);

/** Every evaluation of a service that is decided about again and again. */
function* evaluations(policy: ScalingPolicy, story: typeof days extends fc.Arbitrary<infer T> ? T : never) {
  const governor = new Governor(policy);
  let [nowMs, desired] = [NOW_MS, 2];
  for (const { seconds, share, burst, startupMs } of story) {
    nowMs += seconds * 1_000;
    const observations = policy.rules.map(({ max }) => {
      if (share === undefined) return { read: 0, sum: 0, burstSum: 0, cautiousSum: 0, ageMs: 0 };
      const [sum, burstSum] = [share * max * desired, share * burst * max * desired];
      return { read: desired, sum, burstSum, cautiousSum: Math.max(sum, burstSum), ageMs: seconds / 7 };
    });
    const situation = { nowMs, service: SERVICE, desired, serving: desired, observations, single: false };
    const { input, output } = governor.evaluate(situation, startupMs);
    governor.commit(output);
    desired = output.evaluation.to;
    yield { input, evaluation: output.evaluation, mode: "live", startupMs } as const;
  }
}

describe("what is kept of an evaluation", () => {
  test("is the same after it was written and read, and decides the same, byte for byte", () => {
    fc.assert(
      fc.property(policies, days, (policy, story) => {
        for (const record of evaluations(policy, story)) {
          const { nowMs, service } = record.input;
          const kept = JSON.parse(JSON.stringify(policy)) as ScalingPolicy;
          const input = readInput(inputText(record.input), { nowMs, service, policy: kept });
          const evaluation = readEvaluation(evaluationText(record.evaluation), { service, atMs: nowMs });
          assert.deepEqual(input, record.input);
          const { recorded, replayed } = replay({ ...record, input, evaluation });
          assert.equal(recorded, JSON.stringify(record.evaluation));
          assert.equal(replayed, recorded);
        }
      }),
      { numRuns: 200 },
    );
  });

  test("can be asked what would change it, and more of anything never means fewer", () => {
    fc.assert(
      fc.property(policies, days, (policy, story) => {
        const last = [...evaluations(policy, story)].at(-1);
        assert.ok(last !== undefined);
        const { more, fewer } = whatIf(last.input);
        const to = fewer?.to ?? 0;
        for (const alternative of more) {
          assert.ok(alternative.factor >= 1 && alternative.to > to, JSON.stringify(alternative));
        }
        assert.ok((fewer?.factor ?? 0) <= 1);
      }),
      { numRuns: 200 },
    );
  });
});
