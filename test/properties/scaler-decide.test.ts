import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Rule, RuleMetric, ScalingPolicy } from "../../core/types.ts";
import { decide, type ScalingInput, type ScalingMemory } from "../../scaler/decide.ts";
import { inputOf, NOW_MS, policyOf, type ServingReplica, type Situation } from "../scaler/builders.ts";

const METRICS: readonly RuleMetric[] = ["cpu", "memory", "rps", "latency", "query"];

const MANY = { numRuns: 1_000 };

/** Evenly spread, where doubles would be near zero most of the time. */
function thousandths(min: number, max: number): fc.Arbitrary<number> {
  return fc.integer({ min: min * 1_000, max: max * 1_000 }).map((thousandth) => thousandth / 1_000);
}

function ruleOf(metric: Rule["metric"], top: number, about: Partial<Rule> = {}): fc.Arbitrary<Rule> {
  return fc
    .record({ share: thousandths(0.01, 0.99), minShare: fc.option(thousandths(0, 0.99)) })
    .map(({ share, minShare }) => {
      const max = share * top;
      return { metric, max, ...about, ...(minShare === null ? {} : { min: max * minShare }) };
    });
}

const cpu = fc.oneof(ruleOf("cpu", 1, { capacity: 0.5, enforced: true }), ruleOf("cpu", 1, { capacity: 2 }));
const memoryRule = ruleOf("memory", 1, { capacity: 1_000 });
const rps = ruleOf("rps", 100);
const latency = ruleOf("latency", 500);
const query = ruleOf("query", 20, { expression: "queue_length" });
const rules = fc.oneof(
  fc.tuple(cpu),
  fc.tuple(memoryRule),
  fc.tuple(rps),
  fc.tuple(latency),
  fc.tuple(cpu, memoryRule),
  fc.tuple(cpu, query),
  fc.tuple(cpu, rps, latency),
);
/** What a share of 1 is in the unit that a metric is read in, where a rule names no capacity. */
const TOPS = { cpu: 1, memory: 1, rps: 100, latency: 500, query: 20 } as const;
const duration = fc.constantFrom(0, 2_000, 10_000, 60_000, 300_000);

/** Every policy that labels can say. */
const policy: fc.Arbitrary<ScalingPolicy> = fc
  .record(
    {
      rules,
      kind: fc.constantFrom("step", "target"),
      minReplicas: fc.integer({ min: 1, max: 8 }),
      range: fc.nat(20),
      step: fc.integer({ min: 1, max: 6 }),
      windowMs: fc.constantFrom(2_000, 10_000, 60_000),
      cooldownMs: duration,
      stabilizationMs: duration,
      scaleInsPerHour: fc.integer({ min: 1, max: 12 }),
      dryRun: fc.boolean(),
    },
    { requiredKeys: ["rules", "kind", "minReplicas", "range", "step", "windowMs", "cooldownMs", "dryRun"] },
  )
  .map(({ range, ...changes }) => {
    const { stabilizationMs: _, ...defaults } = policyOf();
    return { ...defaults, ...changes, maxReplicas: changes.minReplicas + range };
  });

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
const replica = fc.record({ cpu: use, memory: use, rps: use }, { requiredKeys: [] });
const levels = fc.record({ latency: use, query: use }, { requiredKeys: [] });

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
      .map((need) => ({ ...need, ...(need.windowMs === 0 ? { peaks: [] } : {}) })),
    scaleInsAtMs: fc.array(fc.integer({ min: NOW_MS - 4_000_000, max: NOW_MS + 1_000 }), { maxLength: 12 }),
  },
  { requiredKeys: ["need"] },
);

type Fields = Situation & Pick<ScalingInput, "policy" | "desired">;

const scheduled = fc
  .record({ minReplicas: fc.integer({ min: 1, max: 8 }), range: fc.nat(20) })
  .map(({ minReplicas, range }) => ({
    minReplicas,
    maxReplicas: minReplicas + range,
    schedule: "0 8 * * 1-5",
  }));

const input: fc.Arbitrary<Fields> = fc
  .record(
    {
      policy,
      desired: fc.nat(30),
      serving: fc.array(replica, { maxLength: 12 }),
      levels,
      heldBackRatio: thousandths(0, 1),
      single: fc.boolean(),
      bounds: scheduled,
      oftenNeeded: fc.record({ replicas: fc.integer({ min: 1, max: 40 }), gapMs: fc.nat(900_000) }),
      forecast: fc.record({ replicas: fc.nat(60) }),
      memory,
    },
    { requiredKeys: ["policy", "desired", "serving", "levels", "single"] },
  )
  .map(scaledToCapacity);

function scaledUses(shares: ServingReplica, factorOf: (metric: RuleMetric) => number): ServingReplica {
  const scaled = METRICS.flatMap((metric) => {
    const share = shares[metric];
    if (share === undefined) return [];
    const factor = factorOf(metric);
    const burst = share.burst === undefined ? {} : { burst: share.burst * factor };
    return [[metric, { ...share, mean: share.mean * factor, ...burst }] as const];
  });
  return Object.fromEntries(scaled);
}

/** The shares as uses, in the units of the rules. */
function scaledToCapacity(fields: Fields): Fields {
  const capacityOf = (metric: RuleMetric) =>
    fields.policy.rules.find((rule) => rule.metric === metric)?.capacity ?? TOPS[metric];
  return {
    ...fields,
    serving: fields.serving.map((shares) => scaledUses(shares, capacityOf)),
    levels: scaledUses(fields.levels ?? {}, capacityOf),
  };
}

/** The bounds that hold. */
const boundsOf = ({ bounds, policy }: Fields) => bounds ?? policy;

const live: fc.Arbitrary<Fields> = input.map((fields) => ({
  ...fields,
  policy: { ...fields.policy, dryRun: false },
}));

test("the bounds hold, whatever was read and whatever went before", () => {
  fc.assert(
    fc.property(live, (fields) => {
      const { to } = decide(inputOf(fields)).evaluation;
      const { minReplicas, maxReplicas } = boundsOf(fields);
      if (fields.single === true) assert.equal(to, 1);
      else assert.ok(minReplicas <= to && to <= maxReplicas, `${to} of ${minReplicas}..${maxReplicas}`);
    }),
    MANY,
  );
});

test("a dry run changes nothing", () => {
  fc.assert(
    fc.property(input, (fields) => {
      const { evaluation } = decide(inputOf({ ...fields, policy: { ...fields.policy, dryRun: true } }));
      assert.equal(evaluation.to, fields.desired);
    }),
    MANY,
  );
});

test("by steps, a change is of one step at most where nothing is hidden and no bound or forecast asks for more", () => {
  fc.assert(
    fc.property(live, ({ forecast: _, ...fields }) => {
      const { desired } = fields;
      const policy = { ...fields.policy, kind: "step" as const };
      const { to, verdicts } = decide(inputOf({ ...fields, policy })).evaluation;
      const { minReplicas, maxReplicas } = boundsOf(fields);
      const hidden = verdicts.some(({ saturated }) => saturated === true);
      const byHalf = hidden ? Math.ceil(Math.max(desired, fields.serving.length) * 1.5) : 0;
      assert.ok(to <= Math.max(desired + policy.step, byHalf, minReplicas), `${desired} → ${to}`);
      if (fields.single !== true)
        assert.ok(to >= Math.min(desired - policy.step, maxReplicas), `${desired} → ${to}`);
    }),
    MANY,
  );
});

test("a forecast never makes the count smaller", () => {
  fc.assert(
    fc.property(live, fc.nat(60), ({ forecast: _, ...fields }, replicas) => {
      const { to } = decide(inputOf(fields)).evaluation;
      const ahead = decide(inputOf({ ...fields, forecast: { replicas } })).evaluation.to;
      assert.ok(ahead >= to, `${to} replicas, and ${ahead} with a forecast of ${replicas}`);
    }),
    MANY,
  );
});

test("what is often needed never makes the count larger than it is", () => {
  fc.assert(
    fc.property(live, fc.integer({ min: 1, max: 40 }), ({ oftenNeeded: _, ...fields }, replicas) => {
      const { to } = decide(inputOf(fields)).evaluation;
      const often = { replicas, gapMs: 60_000 };
      const kept = decide(inputOf({ ...fields, oftenNeeded: often })).evaluation.to;
      assert.ok(
        kept <= Math.max(to, fields.desired),
        `${to} replicas, and ${kept} as ${replicas} are often needed`,
      );
    }),
    MANY,
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
    MANY,
  );
});

test("the output is plain data: it reads back from JSON as it was", () => {
  fc.assert(
    fc.property(input, (fields) => {
      const output = decide(inputOf(fields));
      assert.deepEqual(JSON.parse(JSON.stringify(output)), output);
    }),
    MANY,
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
    MANY,
  );
});

test("more load never means fewer replicas in the same state", () => {
  const grown = fc.tuple(input, fc.array(thousandths(1, 3), { minLength: 1 }), fc.boolean());
  fc.assert(
    fc.property(grown, ([fields, factors, waiting]) => {
      const factorOf = (index: number) => factors[index % factors.length] ?? 1;
      const serving = fields.serving.map((uses, index) => scaledUses(uses, () => factorOf(index)));
      const levels = scaledUses(fields.levels ?? {}, () => factorOf(0));
      const { to } = decide(inputOf(fields)).evaluation;
      const { heldBackRatio } = fields;
      const more = {
        ...fields,
        serving,
        levels,
        ...(heldBackRatio === undefined || !waiting ? {} : { heldBackRatio: (heldBackRatio + 1) / 2 }),
      };
      const grownTo = decide(inputOf(more)).evaluation.to;
      assert.ok(grownTo >= to, `${to} replicas, and ${grownTo} under more load`);
    }),
    MANY,
  );
});

test("a rule without any reading never lets a scale-in happen, except down to the upper bound", () => {
  fc.assert(
    fc.property(live, fc.nat(2), (fields, which) => {
      const { rules: given } = fields.policy;
      const silent = given[which % given.length]?.metric;
      const without = (uses: ServingReplica): ServingReplica =>
        Object.fromEntries(Object.entries(uses).filter(([metric]) => metric !== silent));
      const { to } = decide(
        inputOf({
          ...fields,
          serving: fields.serving.map(without),
          levels: without(fields.levels ?? {}),
          single: false,
        }),
      ).evaluation;
      assert.ok(to >= Math.min(fields.desired, boundsOf(fields).maxReplicas), `${fields.desired} → ${to}`);
    }),
    MANY,
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
    MANY,
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
        assert.ok(to(silent) <= Math.max(before, fields.desired, boundsOf(fields).minReplicas));
    }),
    MANY,
  );
});
