import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decide, type ScalingMemory } from "../../scaler/decide.ts";
import { alike, CALM, evaluate, inputOf, NOW_MS, policyOf, targetOf, usingCores } from "./builders.ts";

describe("bounds", () => {
  test("a step ends at the upper one", () => {
    const evaluation = evaluate({
      serving: alike(9, 0.9),
      policy: policyOf({ step: 5 }),
    });
    assert.deepEqual(evaluation.limits, [{ limit: "bounds", from: 14, to: 10 }]);
  });

  test("a step ends at the lower one", () => {
    const policy = policyOf({ step: 5, minReplicas: 3 });
    const evaluation = evaluate({ serving: alike(4, 0), policy, memory: CALM });
    assert.deepEqual(evaluation.limits, [{ limit: "bounds", from: 1, to: 3 }]);
  });

  test("are the only reason given where they alone hold the count: no waiting would change it", () => {
    const changedNow: ScalingMemory = { ...CALM, lastOutAtMs: NOW_MS, lastInAtMs: NOW_MS };
    const fewest = evaluate({
      serving: alike(2, 0),
      policy: policyOf({ minReplicas: 2 }),
      memory: changedNow,
    });
    assert.deepEqual(fewest.limits, [{ limit: "bounds", from: 1, to: 2 }]);
    const most = evaluate({
      serving: alike(4, 0.9),
      policy: policyOf({ maxReplicas: 4 }),
      memory: changedNow,
    });
    assert.deepEqual(most.limits, [{ limit: "bounds", from: 5, to: 4 }]);
  });

  test("win over everything that would hold the count outside of them", () => {
    const policy = policyOf({ minReplicas: 2, maxReplicas: 4 });
    const changedNow: ScalingMemory = { ...CALM, lastOutAtMs: NOW_MS, lastInAtMs: NOW_MS };
    assert.equal(evaluate({ policy, serving: usingCores(undefined), memory: changedNow }).to, 2);
    assert.equal(evaluate({ policy, serving: [], desired: 0, memory: changedNow }).to, 2);
    assert.equal(evaluate({ policy, serving: alike(9, 0.9), memory: changedNow }).to, 4);
    assert.equal(evaluate({ policy, serving: [], desired: 9, memory: changedNow }).to, 4);
  });

  test("a service that cannot have two replicas keeps one, whatever they say", () => {
    const evaluation = evaluate({
      serving: alike(1, 0.9),
      policy: policyOf({ minReplicas: 2 }),
      single: true,
    });
    assert.equal(evaluation.to, 1);
    assert.deepEqual(evaluation.limits.at(-1), { limit: "single replica", from: 2, to: 1 });
  });
});

describe("a service whose ordered replicas find no room", () => {
  const noRoom = "needs 2.0 cores, 0.6 free";

  test("asks for no more, and says what is missing", () => {
    const short = { serving: alike(2, 2), desired: 4, policy: targetOf() };
    assert.equal(evaluate({ ...short }).to, 6, "else it would");
    const evaluation = evaluate({ ...short, noRoom });
    assert.equal(evaluation.to, 4);
    assert.deepEqual(evaluation.limits.at(-1), { limit: "capacity", from: 6, to: 4, lack: noRoom });
  });

  test("scales in as ever, and is raised to a floor that a person has set", () => {
    const policy = policyOf({ minReplicas: 3 });
    assert.equal(evaluate({ serving: alike(2, 0.9), noRoom, policy }).to, 3);
    assert.equal(evaluate({ serving: alike(2, 0.01), desired: 3, noRoom, memory: CALM }).to, 2);
  });
});

describe("a dry run", () => {
  test("records what it would do and changes nothing", () => {
    const evaluation = evaluate({ serving: alike(2, 0.9), policy: policyOf({ dryRun: true }) });
    assert.deepEqual([evaluation.wanted, evaluation.to], [3, 2]);
    assert.deepEqual(evaluation.limits, [{ limit: "dry run", from: 3, to: 2 }]);
  });

  test("does not even bring the count between the bounds", () => {
    const policy = policyOf({ dryRun: true, minReplicas: 2, maxReplicas: 4 });
    assert.equal(evaluate({ policy, serving: alike(1, 0.5) }).to, 1);
    assert.equal(evaluate({ policy, serving: alike(6, 0.5) }).to, 6);
  });

  test("starts no cooldown", () => {
    const { memory } = decide(
      inputOf({ serving: alike(2, 0.9), policy: policyOf({ dryRun: true, cooldownMs: 60_000 }) }),
    );
    assert.equal(memory.lastOutAtMs, undefined);
    assert.equal(evaluate({ serving: alike(2, 0.9), memory }).to, 3);
  });
});

describe("a clock that was set back", () => {
  const DAY_MS = 86_400_000;

  test("does not hold a scale-out for longer than the cooldown", () => {
    const memory: ScalingMemory = { ...CALM, lastOutAtMs: NOW_MS + DAY_MS };
    assert.equal(evaluate({ serving: usingCores(0.9), memory }).to, 2);
  });

  test("does not hold a scale-in for longer than the stabilization window and its fifth", () => {
    const policy = policyOf({ stabilizationMs: 60_000 });
    let memory: ScalingMemory = {
      lastOutAtMs: NOW_MS + DAY_MS,
      lastInAtMs: NOW_MS + DAY_MS,
      need: { windowMs: 60_000, startedAtMs: NOW_MS + DAY_MS, peaks: [3, 3, 3, 3, 3, 3] },
    };
    let to = 3;
    for (let second = 0; second <= 72 && to === 3; second += 1) {
      const nowMs = NOW_MS + second * 1_000;
      const serving = Array.from({ length: 3 }, () => ({ cpu: { mean: 0.1, newestAtMs: nowMs } }));
      const output = decide(inputOf({ nowMs, policy, serving, memory }));
      ({ to } = output.evaluation);
      memory = output.memory;
    }
    assert.equal(to, 2);
  });

  test("does not make readings that lie ahead of it a reason to hold", () => {
    const serving = [{ cpu: { mean: 0.9, newestAtMs: NOW_MS + DAY_MS } }];
    const evaluation = evaluate({ serving });
    assert.equal(evaluation.to, 2);
    assert.equal(evaluation.verdicts[0]?.ageMs, 0);
  });
});

describe("the record", () => {
  test("of an evaluation that changes nothing is as full as of one that does", () => {
    const evaluation = evaluate({ serving: alike(2, 0.6) });
    assert.deepEqual(evaluation, {
      service: "shop_web",
      atMs: NOW_MS,
      from: 2,
      wanted: 2,
      to: 2,
      verdicts: [
        {
          metric: "cpu",
          wants: "hold",
          asksFor: 2,
          max: 0.7,
          level: 0.6,
          burstLevel: 0.6,
          ageMs: 0,
          replicasRead: 2,
          replicasServing: 2,
        },
      ],
      limits: [],
    });
  });

  test("lets each limit go on from where the one before it ended", () => {
    const policy = policyOf({ step: 5, maxReplicas: 4, dryRun: true });
    const { limits, wanted, to } = evaluate({ serving: alike(2, 0.9), policy });
    assert.deepEqual(
      limits.map((limit) => [limit.limit, limit.from, limit.to]),
      [
        ["bounds", 7, 4],
        ["dry run", 4, 2],
      ],
    );
    assert.deepEqual([wanted, to], [7, 2]);
  });
});
