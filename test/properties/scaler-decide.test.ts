import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Rule, ScalingPolicy } from "../../core/types.ts";
import { decide, type ScalingInput, type ScalingMemory } from "../../scaler/decide.ts";
import { inputOf, NOW_MS, policyOf, type ServingReplica, type Situation } from "../scaler/builders.ts";

/** Evenly spread, where doubles would be near zero most of the time. */
function thousandths(min: number, max: number): fc.Arbitrary<number> {
  return fc.integer({ min: min * 1_000, max: max * 1_000 }).map((thousandth) => thousandth / 1_000);
}

function ruleOf(metric: Rule["metric"], capacity: number): fc.Arbitrary<Rule> {
  return fc
    .record({ max: thousandths(0.01, 0.99), minShare: fc.option(thousandths(0, 0.99)) })
    .map(({ max, minShare }) => ({
      metric,
      capacity,
      max,
      ...(minShare === null ? {} : { min: max * minShare }),
    }));
}

const rules = fc.oneof(
  fc.tuple(ruleOf("cpu", 0.5)),
  fc.tuple(ruleOf("memory", 1_000)),
  fc.tuple(ruleOf("cpu", 2), ruleOf("memory", 1_000)),
);
const duration = fc.constantFrom(0, 2_000, 10_000, 60_000, 300_000);

/** Every policy that labels can say. */
const policy: fc.Arbitrary<ScalingPolicy> = fc
  .record({
    rules,
    minReplicas: fc.integer({ min: 1, max: 8 }),
    range: fc.nat(20),
    step: fc.integer({ min: 1, max: 6 }),
    windowMs: fc.constantFrom(2_000, 10_000, 60_000),
    cooldownMs: duration,
    stabilizationMs: duration,
    dryRun: fc.boolean(),
  })
  .map(({ range, ...changes }) => policyOf({ ...changes, maxReplicas: changes.minReplicas + range }));

/** Readings as shares of a capacity: good, stale, absurd, or none. */
const use = fc.record(
  {
    mean: fc.oneof(
      { weight: 8, arbitrary: thousandths(0, 1.2) },
      { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY) },
    ),
    burst: fc.oneof(
      { weight: 8, arbitrary: thousandths(0, 1.2) },
      { weight: 1, arbitrary: fc.constant(Number.NaN) },
    ),
    newestAtMs: fc.integer({ min: NOW_MS - 8_000, max: NOW_MS + 1_000 }),
  },
  { requiredKeys: ["mean", "newestAtMs"] },
);
const replica = fc.record({ cpu: use, memory: use }, { requiredKeys: [] });

const memory: fc.Arbitrary<ScalingMemory> = fc.record(
  {
    lastOutAtMs: fc.integer({ min: NOW_MS - 400_000, max: NOW_MS + 1_000 }),
    lastInAtMs: fc.integer({ min: NOW_MS - 400_000, max: NOW_MS + 1_000 }),
    need: fc
      .record({
        windowMs: duration,
        startedAtMs: fc.integer({ min: NOW_MS - 400_000, max: NOW_MS + 1_000 }),
        peaks: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 6, maxLength: 6 }),
      })
      .map((need) => (need.windowMs === 0 ? { ...need, peaks: [] } : need)),
  },
  { requiredKeys: ["need"] },
);

type Fields = Situation & Pick<ScalingInput, "policy" | "desired">;

const input: fc.Arbitrary<Fields> = fc
  .record(
    {
      policy,
      desired: fc.nat(30),
      serving: fc.array(replica, { maxLength: 12 }),
      single: fc.boolean(),
      memory,
    },
    { requiredKeys: ["policy", "desired", "serving", "single"] },
  )
  .map(scaledToCapacity);

/** The shares as uses, in the units of the rules. */
function scaledToCapacity<T extends Pick<Fields, "policy" | "serving">>(fields: T): T {
  const serving = fields.serving.map((shares): ServingReplica => {
    const scaled = fields.policy.rules.flatMap(({ metric, capacity = 1 }) => {
      const share = shares[metric];
      if (share === undefined) return [];
      const burst = share.burst === undefined ? {} : { burst: share.burst * capacity };
      return [[metric, { ...share, mean: share.mean * capacity, ...burst }] as const];
    });
    return Object.fromEntries(scaled);
  });
  return { ...fields, serving };
}

const live = input.map((fields) => ({ ...fields, policy: { ...fields.policy, dryRun: false } }));

test("the bounds hold, whatever was read and whatever went before", () => {
  fc.assert(
    fc.property(live, (fields) => {
      const { to } = decide(inputOf(fields)).evaluation;
      const { minReplicas, maxReplicas } = fields.policy;
      if (fields.single) assert.equal(to, 1);
      else assert.ok(minReplicas <= to && to <= maxReplicas, `${to} of ${minReplicas}..${maxReplicas}`);
    }),
  );
});

test("a dry run changes nothing", () => {
  fc.assert(
    fc.property(input, (fields) => {
      const { evaluation } = decide(inputOf({ ...fields, policy: { ...fields.policy, dryRun: true } }));
      assert.equal(evaluation.to, fields.desired);
    }),
  );
});

test("a scale-out is of one step at most, and a scale-in too, where no bound asks for more", () => {
  fc.assert(
    fc.property(live, (fields) => {
      const { policy, desired } = fields;
      const { to } = decide(inputOf(fields)).evaluation;
      assert.ok(to <= Math.max(desired + policy.step, policy.minReplicas), `${desired} → ${to}`);
      if (!fields.single)
        assert.ok(to >= Math.min(desired - policy.step, policy.maxReplicas), `${desired} → ${to}`);
    }),
  );
});

test("the same input gives the same output to the byte, and is left as it was", () => {
  fc.assert(
    fc.property(input, (fields) => {
      const given = inputOf(fields);
      const before = JSON.stringify(given);
      const first = JSON.stringify(decide(given));
      assert.equal(JSON.stringify(decide(structuredClone(given))), first);
      assert.equal(JSON.stringify(given), before);
    }),
  );
});

test("the output is plain data: it reads back from JSON as it was", () => {
  fc.assert(
    fc.property(input, (fields) => {
      const output = decide(inputOf(fields));
      assert.deepEqual(JSON.parse(JSON.stringify(output)), output);
    }),
  );
});

test("the limits lead from what the rules ask for to the result, without a gap", () => {
  fc.assert(
    fc.property(input, (fields) => {
      const { wanted, to, limits } = decide(inputOf(fields)).evaluation;
      let at = wanted;
      for (const limit of limits) {
        assert.equal(limit.from, at);
        assert.notEqual(limit.to, limit.from);
        assert.ok((limit.remainingMs ?? 1) > 0, `${limit.limit} has ${limit.remainingMs} ms left`);
        at = limit.to;
      }
      assert.equal(at, to);
    }),
  );
});

test("more load never means fewer replicas in the same state", () => {
  const grown = fc.tuple(input, fc.array(thousandths(1, 3), { minLength: 1 }));
  fc.assert(
    fc.property(grown, ([fields, factors]) => {
      const serving = fields.serving.map((uses, index): ServingReplica => {
        const factor = factors[index % factors.length] ?? 1;
        const more = Object.entries(uses).map(([metric, { mean, burst, newestAtMs }]) => [
          metric,
          {
            mean: mean * factor,
            newestAtMs,
            ...(burst === undefined ? {} : { burst: burst * factor }),
          },
        ]);
        return Object.fromEntries(more);
      });
      const { to } = decide(inputOf(fields)).evaluation;
      const grownTo = decide(inputOf({ ...fields, serving })).evaluation.to;
      assert.ok(grownTo >= to, `${to} replicas, and ${grownTo} under more load`);
    }),
    { numRuns: 1_000 },
  );
});

test("a rule without any reading never lets a scale-in happen, except down to the upper bound", () => {
  fc.assert(
    fc.property(live, fc.nat(1), (fields, which) => {
      const { rules: given, maxReplicas } = fields.policy;
      const silent = given[which % given.length]?.metric;
      const serving = fields.serving.map((uses) =>
        Object.fromEntries(Object.entries(uses).filter(([metric]) => metric !== silent)),
      );
      const { to } = decide(inputOf({ ...fields, serving, single: false })).evaluation;
      assert.ok(to >= Math.min(fields.desired, maxReplicas), `${fields.desired} → ${to}`);
    }),
  );
});

test("replicas that fall silent never cause a scale-in that would not have been made at their threshold", () => {
  const some = fc.tuple(live, fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }));
  fc.assert(
    fc.property(some, ([fields, falls]) => {
      const silent = fields.serving.map((uses, index) => (falls[index] === true ? {} : uses));
      const atThreshold = fields.serving.map((uses, index): ServingReplica => {
        if (falls[index] !== true) return uses;
        const busy = fields.policy.rules.map(({ metric, max, capacity = 1 }) => [
          metric,
          { mean: max * capacity, newestAtMs: NOW_MS },
        ]);
        return Object.fromEntries(busy);
      });
      const to = (serving: readonly ServingReplica[]) =>
        decide(inputOf({ ...fields, serving })).evaluation.to;
      const [least, most] = [Math.min(to(atThreshold), fields.desired), fields.desired];
      if (to(silent) < most) assert.ok(to(silent) >= least, `${to(silent)}, at the threshold ${least}`);
    }),
  );
});

test("a replica that falls silent never causes a scale-out", () => {
  fc.assert(
    fc.property(live, fc.nat(11), (fields, which) => {
      // Alike: what the others say is then what the silent one would have said.
      const [first = {}] = fields.serving;
      const serving = fields.serving.map(() => first);
      const silent = serving.map((uses, index) => (index === which % serving.length ? {} : uses));
      const to = (replicas: readonly ServingReplica[]) =>
        decide(inputOf({ ...fields, serving: replicas })).evaluation.to;
      const before = to(serving);
      if (before <= fields.desired)
        assert.ok(to(silent) <= Math.max(before, fields.desired, fields.policy.minReplicas));
    }),
  );
});
