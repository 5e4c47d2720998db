import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Rule } from "../../core/types.ts";
import {
  alike,
  CALM,
  evaluate,
  limitNames,
  MAX_CPU_70,
  MAX_MEMORY_80,
  NOW_MS,
  type ServingReplica,
  targetOf,
  usingCores,
  wants,
} from "./builders.ts";

const POLICY = targetOf({ maxReplicas: 50 });
const MAX_RPS_100: Rule = { metric: "rps", max: 100 };
const MAX_LATENCY_200: Rule = { metric: "latency", max: 200 };
const MAX_QUEUE_10: Rule = { metric: "query", max: 10, expression: "queue_length" };

/** What so many replicas at that level of CPU become, where nothing holds them back. */
function countAt(count: number, cores: number, policy = POLICY): number {
  return evaluate({ serving: alike(count, cores), policy, memory: CALM }).to;
}

describe("who follows a target", () => {
  test("orders at once as many as the load takes, in proportion", () => {
    const policy = targetOf({ rules: [{ ...MAX_CPU_70, max: 0.45 }] });
    assert.equal(countAt(3, 0.9, policy), 6);
    // 3.6 / 0.7 = 5.1.
    assert.equal(countAt(4, 0.9), 5);
  });

  test("takes the count that comes nearest, up or down", () => {
    // 7.2 / 0.7 = 10.3 and 7.4 / 0.7 = 10.6.
    assert.equal(countAt(10, 0.72), 10);
    assert.equal(countAt(10, 0.74), 11);
    // 3 / 0.7 = 4.3 and 2.5 / 0.7 = 3.6.
    assert.equal(countAt(10, 0.3), 4);
    assert.equal(countAt(10, 0.25), 4);
  });

  test("stays within a tenth above the target, and never goes further", () => {
    // 1.09 and 1.11 times the target: one more replica would be at half of it.
    assert.equal(countAt(1, 0.763), 1);
    assert.equal(countAt(1, 0.777), 2);
    for (let replicas = 1; replicas <= 20; replicas += 1) {
      for (let percent = 1; percent <= 100; percent += 1) {
        const to = countAt(replicas, percent / 100);
        const level = (replicas * percent) / 100 / to;
        assert.ok(to === 50 || level <= 0.7 * 1.1 + 1e-9, `${replicas} at ${percent} % became ${to}`);
      }
    }
  });

  test("is at rest where it went: another look at the same load changes nothing", () => {
    for (let percent = 1; percent <= 400; percent += 1) {
      // Off the middle between two counts, where rounding of doubles has the word.
      const demand = percent / 20 + 0.003;
      for (const before of [1, 10, 40]) {
        const to = countAt(before, demand / before);
        assert.equal(countAt(to, demand / to), to, `a demand of ${demand} from ${before}`);
      }
    }
  });

  test("goes in as far as the load allows, and to no fewer than one", () => {
    assert.equal(countAt(10, 0), 1);
    assert.equal(countAt(2, 0.35), 1);
  });

  test("goes in below the lower threshold only, where there is one", () => {
    const policy = targetOf({ rules: [{ ...MAX_CPU_70, min: 0.3 }] });
    assert.equal(countAt(10, 0.31, policy), 10);
    assert.equal(countAt(10, 0.29, policy), 4);
  });

  test("orders only what is not on its way", () => {
    assert.equal(evaluate({ serving: alike(4, 0.9), desired: 5, policy: POLICY }).to, 5);
    // 5.4 / 0.7 = 7.7, of which seven are there or on their way.
    assert.equal(evaluate({ serving: alike(6, 0.9), desired: 7, policy: POLICY }).to, 8);
  });

  test("answers a jump by what the last moments show", () => {
    const serving: ServingReplica[] = alike(4, 0).map(() => ({
      cpu: { mean: 0.5, burst: 0.9, newestAtMs: NOW_MS },
    }));
    assert.equal(evaluate({ serving, policy: POLICY }).to, 5);
  });

  test("counts a silent replica as one that it goes on to need", () => {
    // 2.7 / 0.7 = 3.9 for the three that were read.
    assert.equal(evaluate({ serving: usingCores(0.9, 0.9, 0.9, undefined), policy: POLICY }).to, 5);
    // Beside three that are idle one that may be as busy as the threshold.
    const calm = evaluate({ serving: usingCores(0.05, 0.05, 0.05, undefined), policy: POLICY, memory: CALM });
    assert.equal(calm.to, 2);
    const doubtful = evaluate({ serving: usingCores(0.2, 0.2, undefined), policy: POLICY, memory: CALM });
    assert.equal(doubtful.to, 2);
  });

  test("does not wait between two steps out, unless it is told to", () => {
    const memory = { ...CALM, lastOutAtMs: NOW_MS - 1_000 };
    assert.equal(evaluate({ serving: alike(4, 0.9), policy: POLICY, memory }).to, 5);
    const cooled = evaluate({
      serving: alike(4, 0.9),
      policy: targetOf({ cooldownMs: 15_000 }),
      memory,
    });
    assert.deepEqual(cooled.limits, [{ limit: "cooldown", from: 5, to: 4, remainingMs: 14_000 }]);
  });

  test("tells of each rule how many it asks for", () => {
    const [verdict] = evaluate({ serving: alike(4, 0.9), policy: POLICY }).verdicts;
    assert.deepEqual([verdict?.wants, verdict?.asksFor], ["out", 5]);
    const [calm] = evaluate({ serving: alike(10, 0.25), policy: POLICY }).verdicts;
    assert.deepEqual([calm?.wants, calm?.asksFor], ["in", 4]);
  });
});

describe("what a metric says about how many", () => {
  test("requests per second are shared as CPU is", () => {
    const serving = Array.from({ length: 3 }, () => ({ rps: { mean: 300, newestAtMs: NOW_MS } }));
    assert.equal(evaluate({ serving, policy: targetOf({ rules: [MAX_RPS_100] }) }).to, 9);
  });

  test("memory is shared as CPU is", () => {
    const serving = Array.from({ length: 4 }, () => ({ memory: { mean: 1_000, newestAtMs: NOW_MS } }));
    assert.equal(evaluate({ serving, policy: targetOf({ rules: [MAX_MEMORY_80] }) }).to, 5);
  });

  for (const rule of [MAX_LATENCY_200, MAX_QUEUE_10]) {
    const of = (level: number) => ({
      serving: [{}, {}, {}],
      levels: { [rule.metric]: { mean: level, newestAtMs: NOW_MS } },
      policy: targetOf({ rules: [rule], maxReplicas: 50 }),
      memory: CALM,
    });

    test(`a ${rule.metric} far too high at most doubles them: it says that there is too little, not how much`, () => {
      assert.equal(evaluate(of(4 * rule.max)).to, 6);
      assert.equal(evaluate(of(100 * rule.max)).to, 6);
    });

    test(`a ${rule.metric} a little too high asks in proportion`, () => {
      assert.equal(evaluate(of(1.3 * rule.max)).to, 4);
    });

    test(`a low ${rule.metric} scales in, and one that nobody answered does not`, () => {
      assert.equal(evaluate(of(0.3 * rule.max)).to, 1);
      const { levels: _, ...silent } = of(0);
      assert.deepEqual([evaluate(silent).to, wants(evaluate(silent))], [3, ["unknown"]]);
    });
  }
});

describe("several rules", () => {
  const policy = targetOf({ rules: [MAX_CPU_70, MAX_RPS_100], maxReplicas: 50 });
  const both = (count: number, cores: number, rps: number | undefined): ServingReplica[] =>
    Array.from({ length: count }, () => ({
      cpu: { mean: cores, newestAtMs: NOW_MS },
      ...(rps === undefined ? {} : { rps: { mean: rps, newestAtMs: NOW_MS } }),
    }));

  test("out goes as far as the one that asks for most", () => {
    const evaluation = evaluate({ serving: both(4, 0.9, 200), policy });
    assert.deepEqual(
      evaluation.verdicts.map(({ asksFor }) => asksFor),
      [5, 8],
    );
    assert.equal(evaluation.to, 8);
  });

  test("out goes if one of them asks, whatever the other would do with", () => {
    assert.equal(evaluate({ serving: both(4, 0.1, 200), policy, memory: CALM }).to, 8);
  });

  test("in goes no further than the most cautious one, if all agree", () => {
    const evaluation = evaluate({ serving: both(10, 0.1, 40), policy, memory: CALM });
    assert.deepEqual(
      evaluation.verdicts.map(({ asksFor }) => asksFor),
      [2, 4],
    );
    assert.equal(evaluation.to, 4);
  });

  test("in does not go while one of them is content", () => {
    assert.equal(evaluate({ serving: both(4, 0.1, 100), policy, memory: CALM }).to, 4);
  });

  test("in does not go while one of them knows nothing, and out does", () => {
    const calm = evaluate({ serving: both(4, 0.1, undefined), policy, memory: CALM });
    assert.deepEqual([calm.wanted, calm.to, limitNames(calm)], [1, 4, ["data"]]);
    assert.equal(evaluate({ serving: both(4, 0.9, undefined), policy }).to, 5);
  });
});
