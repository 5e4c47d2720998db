import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decide, type ScalingMemory } from "../../scaler/decide.ts";
import {
  alike,
  CALM,
  CPU_30_TO_70,
  evaluate,
  inputOf,
  limitNames,
  MAX_CPU_70,
  MAX_MEMORY_80,
  NOW_MS,
  policyOf,
  type ServingReplica,
  usingCores,
  wants,
} from "./builders.ts";

describe("scaling out", () => {
  test("above the threshold a step is added", () => {
    const evaluation = evaluate({ serving: usingCores(0.8, 0.7), policy: policyOf({ step: 2 }) });
    assert.deepEqual([evaluation.from, evaluation.wanted, evaluation.to], [2, 4, 4]);
    assert.deepEqual(limitNames(evaluation), []);
  });

  test("at the threshold nothing is added", () => {
    assert.equal(evaluate({ serving: usingCores(0.7, 0.7) }).to, 2);
  });

  test("the ratio is of the rule's capacity, not of one core", () => {
    const policy = policyOf({ rules: [{ ...MAX_CPU_70, capacity: 2 }] });
    assert.equal(evaluate({ serving: usingCores(1.3), policy }).to, 1);
    assert.equal(evaluate({ serving: usingCores(1.5), policy }).to, 2);
  });

  test("during the cooldown the next step waits, and the record says for how long", () => {
    const memory: ScalingMemory = { ...CALM, lastOutAtMs: NOW_MS - 14_000 };
    const evaluation = evaluate({ serving: usingCores(0.9), memory });
    assert.deepEqual(
      [evaluation.wanted, evaluation.to, evaluation.limits],
      [2, 1, [{ limit: "cooldown", from: 2, to: 1, remainingMs: 1_000 }]],
    );
  });

  test("when the cooldown is over the next step is made", () => {
    const memory: ScalingMemory = { ...CALM, lastOutAtMs: NOW_MS - 15_000 };
    assert.equal(evaluate({ serving: usingCores(0.9), memory }).to, 2);
  });

  test("a scale-in does not delay a scale-out", () => {
    const memory: ScalingMemory = { ...CALM, lastInAtMs: NOW_MS - 1_000 };
    assert.equal(evaluate({ serving: usingCores(0.9), memory }).to, 2);
  });

  test("replicas on their way count as capacity: one need is not met twice", () => {
    const evaluation = evaluate({ serving: usingCores(1, 1), desired: 4 });
    assert.equal(evaluation.to, 4);
    assert.deepEqual(wants(evaluation), ["hold"]);
  });

  test("more than what is on its way can serve is answered by a further step", () => {
    assert.equal(evaluate({ serving: usingCores(1, 1, 1), desired: 4 }).to, 5);
  });

  test("a service whose ordered replicas never start is not pushed upward", () => {
    let desired = 1;
    let memory: ScalingMemory | undefined;
    for (let second = 0; second < 3_600; second += 1) {
      const nowMs = NOW_MS + second * 1_000;
      const output = decide(
        inputOf({
          nowMs,
          desired,
          serving: [{ cpu: { mean: 1, newestAtMs: nowMs } }],
          ...(memory === undefined ? {} : { memory }),
        }),
      );
      desired = output.evaluation.to;
      memory = output.memory;
    }
    assert.equal(desired, 2);
  });

  test("the window still holds the overload, the last moments show that the new replicas carry it: no further step", () => {
    const before = { cpu: { mean: 0.95, burst: 0.66, newestAtMs: NOW_MS } };
    const added = { cpu: { mean: 0.66, burst: 0.66, newestAtMs: NOW_MS } };
    assert.equal(evaluate({ serving: [before, before, added] }).to, 3);
  });
});

describe("a burst", () => {
  /** Samples once a second of a load that is multiplied by three, decided upon with the means that a window gives. */
  function secondsToDecision(replicas: number, use: number): number {
    const after = Math.min(3 * use, 1);
    for (let second = 1; second <= 10; second += 1) {
      const mean = (use * (10 - second) + after * second) / 10;
      const burst = second === 1 ? (use + after) / 2 : after;
      const reading: ServingReplica = { cpu: { mean, burst, newestAtMs: NOW_MS } };
      const serving = Array.from({ length: replicas }, () => reading);
      if (evaluate({ serving, policy: policyOf({ step: 2 }) }).to > replicas) return second;
    }
    return Number.POSITIVE_INFINITY;
  }

  test("of three times the load on one replica at 45 % is answered at the second sample", () => {
    assert.equal(secondsToDecision(1, 0.45), 2);
  });

  test("of three times the load on four replicas at 55 % is answered at the second sample", () => {
    assert.equal(secondsToDecision(4, 0.55), 2);
  });

  test("that only just passes the threshold waits for the window's mean", () => {
    const serving: ServingReplica[] = [{ cpu: { mean: 0.5, burst: 0.8, newestAtMs: NOW_MS } }];
    assert.equal(evaluate({ serving }).to, 1);
  });

  test("is one from a fifth above the threshold, or from half of what is left to saturation", () => {
    const toAt = (max: number, burst: number) =>
      evaluate({
        serving: [{ cpu: { mean: 0.1, burst, newestAtMs: NOW_MS } }],
        policy: policyOf({ rules: [{ ...MAX_CPU_70, max }] }),
      }).to;
    assert.deepEqual([toAt(0.5, 0.59), toAt(0.5, 0.61)], [1, 2]);
    assert.deepEqual([toAt(0.9, 0.94), toAt(0.9, 0.96)], [1, 2]);
  });

  test("keeps a service from scaling in", () => {
    const serving: ServingReplica[] = [
      { cpu: { mean: 0.1, burst: 0.6, newestAtMs: NOW_MS } },
      { cpu: { mean: 0.1, burst: 0.6, newestAtMs: NOW_MS } },
    ];
    assert.deepEqual(wants(evaluate({ serving, memory: CALM })), ["hold"]);
  });

  test("that is not a number is as good as none", () => {
    const serving: ServingReplica[] = [{ cpu: { mean: 0.5, burst: Number.NaN, newestAtMs: NOW_MS } }];
    assert.deepEqual(evaluate({ serving }).verdicts[0]?.burstLevel, 0.5);
  });
});

describe("scaling in", () => {
  test("without a lower threshold: when what remains stays below 80 % of the upper one", () => {
    assert.equal(evaluate({ serving: alike(3, 0.37), memory: CALM }).to, 2);
    assert.equal(evaluate({ serving: alike(3, 0.38), memory: CALM }).to, 3);
  });

  test("with a lower threshold: below it", () => {
    const policy = policyOf({ rules: [CPU_30_TO_70] });
    assert.equal(evaluate({ serving: alike(3, 0.29), policy, memory: CALM }).to, 2);
    assert.equal(evaluate({ serving: alike(3, 0.3), policy, memory: CALM }).to, 3);
  });

  test("takes a step away, and never the last replica", () => {
    const policy = policyOf({ step: 4 });
    assert.equal(evaluate({ serving: alike(9, 0.01), policy, memory: CALM }).to, 5);
    assert.equal(evaluate({ serving: alike(2, 0.01), policy, memory: CALM }).to, 1);
    assert.equal(evaluate({ serving: alike(1, 0), policy, memory: CALM }).to, 1);
  });

  test("a step that would lead to where it scales out again is made smaller", () => {
    const policy = policyOf({ rules: [CPU_30_TO_70], step: 2 });
    const evaluation = evaluate({ serving: alike(3, 0.25), policy, memory: CALM });
    assert.deepEqual(
      [evaluation.wanted, evaluation.to, evaluation.limits],
      [1, 2, [{ limit: "rebound guard", from: 1, to: 2, level: 0.75, metric: "cpu" }]],
    );
  });

  test("where even one replica fewer would scale out again, none is taken", () => {
    const policy = policyOf({ rules: [{ ...MAX_CPU_70, min: 0.5 }] });
    const evaluation = evaluate({ serving: alike(2, 0.45), policy, memory: CALM });
    assert.deepEqual(limitNames(evaluation), ["rebound guard"]);
    assert.equal(evaluation.to, 2);
  });

  test("the guard tells of the rule that would scale out again, not of a busier one that would not", () => {
    const memory = { metric: "memory", max: 0.95, min: 0.5, capacity: 1_000 } as const;
    const policy = policyOf({ rules: [{ ...CPU_30_TO_70, min: 0.4 }, memory] });
    const serving: ServingReplica[] = Array.from({ length: 2 }, () => ({
      cpu: { mean: 0.35, newestAtMs: NOW_MS },
      memory: { mean: 390, newestAtMs: NOW_MS },
    }));
    const [guard] = evaluate({ serving, policy, memory: CALM }).limits;
    assert.deepEqual(guard, { limit: "rebound guard", from: 1, to: 2, level: 0.7, metric: "cpu" });
  });

  test("while the window since the last change is not over, nothing is taken", () => {
    for (const memory of [
      { ...CALM, lastOutAtMs: NOW_MS - 9_000 },
      { ...CALM, lastInAtMs: NOW_MS - 9_000 },
    ]) {
      const evaluation = evaluate({ serving: alike(3, 0.1), memory });
      assert.deepEqual(evaluation.limits, [{ limit: "settling", from: 2, to: 3, remainingMs: 1_000 }]);
    }
    const settled = { ...CALM, lastOutAtMs: NOW_MS - 10_000, lastInAtMs: NOW_MS - 10_000 };
    assert.equal(evaluate({ serving: alike(3, 0.1), memory: settled }).to, 2);
  });

  test("by fewer than a step when part of it was needed not long ago", () => {
    const need = { ...CALM.need, peaks: [1, 1, 1, 5, 1, 1] };
    const evaluation = evaluate({ serving: alike(6, 0.01), policy: policyOf({ step: 3 }), memory: { need } });
    assert.deepEqual(
      [evaluation.wanted, evaluation.to, evaluation.limits],
      [3, 5, [{ limit: "stabilization", from: 3, to: 5, remainingMs: 180_000 }]],
    );
  });

  test("a replica that never comes up does not keep an idle service large", () => {
    const evaluation = evaluate({ serving: alike(3, 0.01), desired: 4, memory: CALM });
    assert.equal(evaluation.to, 3);
  });

  test("most of the replicas not up yet: nothing is taken, they may be needed", () => {
    assert.equal(evaluate({ serving: alike(1, 0.01), desired: 4, memory: CALM }).to, 4);
  });
});

describe("the stabilization window", () => {
  /** Evaluates once a second; `coresAt` is what each of the replicas uses. */
  function run(seconds: number, coresAt: (second: number) => number, stabilizationMs = 60_000) {
    const policy = policyOf({ stabilizationMs, step: 1 });
    let desired = 4;
    let memory: ScalingMemory | undefined;
    const changes: [second: number, to: number][] = [];
    for (let second = 0; second < seconds; second += 1) {
      const nowMs = NOW_MS + second * 1_000;
      const mean = coresAt(second);
      const serving = Array.from({ length: desired }, () => ({ cpu: { mean, newestAtMs: nowMs } }));
      const output = decide(
        inputOf({ nowMs, desired, policy, serving, ...(memory === undefined ? {} : { memory }) }),
      );
      memory = output.memory;
      if (output.evaluation.to !== desired) changes.push([second, output.evaluation.to]);
      desired = output.evaluation.to;
    }
    return changes;
  }

  test("a service that was never seen before keeps what it has for the whole of it", () => {
    const [first] = run(120, () => 0.05);
    assert.ok(first !== undefined && first[0] >= 60 && first[0] <= 72, `first change at ${first}`);
  });

  test("a dip that is shorter than the window does not scale in", () => {
    assert.deepEqual(
      run(300, (second) => (second % 60 < 50 ? 0.6 : 0.05)),
      [],
    );
  });

  test("a peak early in the window still counts near its end", () => {
    const [first] = run(400, (second) => (second === 200 || second < 100 ? 0.6 : 0.05), 120_000);
    assert.ok(first !== undefined && first[0] >= 320 && first[0] <= 344, `first change at ${first}`);
  });

  test("of zero lets a scale-in happen at once", () => {
    const evaluation = evaluate({ serving: alike(3, 0.1), policy: policyOf({ stabilizationMs: 0 }) });
    assert.equal(evaluation.to, 2);
  });

  test("of another length than before starts to remember anew", () => {
    const evaluation = evaluate({
      serving: alike(3, 0.1),
      policy: policyOf({ stabilizationMs: 60_000 }),
      memory: CALM,
    });
    assert.deepEqual(limitNames(evaluation), ["stabilization"]);
    assert.equal(evaluation.to, 3);
  });
});

describe("missing readings", () => {
  test("one silent replica of three does not stop a scale-out", () => {
    assert.equal(evaluate({ serving: usingCores(0.9, 0.9, undefined) }).to, 4);
  });

  test("one silent replica of three does not cause a scale-out", () => {
    assert.equal(evaluate({ serving: usingCores(0.65, 0.65, undefined) }).to, 3);
  });

  test("one silent replica of three does not freeze a scale-in", () => {
    const evaluation = evaluate({ serving: usingCores(0.05, 0.05, undefined), memory: CALM });
    assert.equal(evaluation.to, 2);
    assert.deepEqual([evaluation.verdicts[0]?.replicasRead, evaluation.verdicts[0]?.replicasServing], [2, 3]);
  });

  test("one silent replica of three does not cause a scale-in: it may be busy", () => {
    // With the silent one counted as idle, 0.3 + 0.3 would fit on two.
    assert.equal(evaluate({ serving: usingCores(0.3, 0.3, undefined), memory: CALM }).to, 3);
  });

  test("all silent: it holds, and says that it knows nothing", () => {
    const evaluation = evaluate({ serving: usingCores(undefined, undefined, undefined), memory: CALM });
    assert.equal(evaluation.to, 3);
    assert.deepEqual(wants(evaluation), ["unknown"]);
    assert.equal(evaluation.verdicts[0]?.level, undefined);
  });

  test("a reading of five seconds ago counts, an older one is none", () => {
    const readAt = (ageMs: number) => [{ cpu: { mean: 0.9, newestAtMs: NOW_MS - ageMs } }];
    assert.equal(evaluate({ serving: readAt(5_000) }).to, 2);
    assert.deepEqual(wants(evaluate({ serving: readAt(5_001) })), ["unknown"]);
  });

  test("what is not a number is no reading", () => {
    for (const mean of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const evaluation = evaluate({ serving: usingCores(mean, mean), memory: CALM });
      assert.deepEqual(wants(evaluation), ["unknown"]);
      assert.equal(evaluation.to, 2);
    }
  });

  test("no replica serves: it holds", () => {
    assert.equal(evaluate({ serving: [], desired: 2, memory: CALM }).to, 2);
  });

  test("a break in the readings starts the stabilization window anew", () => {
    const silent = decide(inputOf({ serving: usingCores(undefined, undefined), memory: CALM }));
    const evaluation = evaluate({ serving: usingCores(0.1, 0.1), memory: silent.memory });
    assert.deepEqual(limitNames(evaluation), ["stabilization"]);
  });
});

describe("two rules", () => {
  const policy = policyOf({ rules: [MAX_CPU_70, MAX_MEMORY_80] });
  const both = (cores: number, bytes: number | undefined): ServingReplica => ({
    cpu: { mean: cores, newestAtMs: NOW_MS },
    ...(bytes === undefined ? {} : { memory: { mean: bytes, newestAtMs: NOW_MS } }),
  });

  test("one that asks is enough to scale out", () => {
    const evaluation = evaluate({ policy, serving: [both(0.1, 900), both(0.1, 900)] });
    assert.deepEqual(wants(evaluation), ["in", "out"]);
    assert.equal(evaluation.to, 3);
  });

  test("one that asks is not enough to scale in", () => {
    const evaluation = evaluate({ policy, serving: [both(0.1, 500), both(0.1, 500)], memory: CALM });
    assert.deepEqual(wants(evaluation), ["in", "hold"]);
    assert.equal(evaluation.to, 2);
  });

  test("both together scale in", () => {
    assert.equal(evaluate({ policy, serving: [both(0.1, 100), both(0.1, 100)], memory: CALM }).to, 1);
  });

  test("one without any reading holds a scale-in that the other wants, and is named", () => {
    const evaluation = evaluate({
      policy,
      serving: [both(0.1, undefined), both(0.1, undefined)],
      memory: CALM,
    });
    assert.deepEqual([evaluation.wanted, evaluation.to], [1, 2]);
    assert.deepEqual(evaluation.limits, [{ limit: "data", from: 1, to: 2 }]);
  });

  test("one without any reading does not stop a scale-out that the other wants", () => {
    assert.equal(evaluate({ policy, serving: [both(0.9, undefined)] }).to, 2);
  });
});
