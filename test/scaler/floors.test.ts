import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HOUR_MS } from "../../core/units.ts";
import { decide, type ScalingMemory } from "../../scaler/decide.ts";
import {
  alike,
  CALM,
  evaluate,
  inputOf,
  limitNames,
  NOW_MS,
  policyOf,
  targetOf,
  usingCores,
} from "./builders.ts";

const TARGET = targetOf({ maxReplicas: 8 });

describe("bounds that a schedule sets", () => {
  const MORNING = { minReplicas: 4, maxReplicas: 6, schedule: "0 8 * * 1-5" };

  test("stand in place of the policy's, and are told by their cron line", () => {
    const low = evaluate({ serving: alike(2, 0.5), policy: TARGET, bounds: MORNING });
    assert.deepEqual(
      [low.to, low.limits],
      [4, [{ limit: "bounds", from: 2, to: 4, schedule: "0 8 * * 1-5" }]],
    );
    const high = evaluate({ serving: alike(8, 0.5), policy: TARGET, bounds: MORNING });
    assert.deepEqual([high.to, limitNames(high)], [6, ["stabilization", "bounds"]]);
  });

  test("may be wider than the policy's", () => {
    const night = { minReplicas: 1, maxReplicas: 20, schedule: "0 20 * * *" };
    assert.equal(evaluate({ serving: alike(8, 0.9), policy: TARGET, bounds: night }).to, 10);
  });

  test("do not move a count that lies between them", () => {
    assert.deepEqual(evaluate({ serving: alike(5, 0.65), policy: TARGET, bounds: MORNING }).limits, []);
  });

  test("are the only reason given where they hold a scale-in", () => {
    const evaluation = evaluate({ serving: alike(4, 0.1), policy: TARGET, bounds: MORNING });
    assert.deepEqual(limitNames(evaluation), ["bounds"]);
  });
});

describe("a forecast", () => {
  const forecast = (replicas: number) => ({ forecast: { replicas } });

  test("raises the count ahead of the load", () => {
    const evaluation = evaluate({ serving: alike(2, 0.5), policy: TARGET, ...forecast(5) });
    assert.deepEqual(
      [evaluation.wanted, evaluation.to, evaluation.limits],
      [2, 5, [{ limit: "forecast", from: 2, to: 5 }]],
    );
  });

  test("never lowers what the rules want", () => {
    assert.equal(evaluate({ serving: alike(4, 0.9), policy: TARGET, ...forecast(1) }).to, 5);
    assert.equal(evaluate({ serving: alike(4, 0.65), policy: TARGET, ...forecast(1) }).to, 4);
    assert.equal(evaluate({ serving: alike(4, 0.1), policy: TARGET, memory: CALM, ...forecast(1) }).to, 1);
  });

  test("stops a scale-in where it expects the load to come back", () => {
    const evaluation = evaluate({ serving: alike(4, 0.1), policy: TARGET, memory: CALM, ...forecast(3) });
    assert.deepEqual([evaluation.to, evaluation.limits], [3, [{ limit: "forecast", from: 1, to: 3 }]]);
  });

  test("goes no further than the bounds, the schedule's among them", () => {
    assert.equal(evaluate({ serving: alike(2, 0.5), policy: TARGET, ...forecast(99) }).to, 8);
    const bounds = { minReplicas: 1, maxReplicas: 3, schedule: "0 8 * * *" };
    assert.equal(evaluate({ serving: alike(2, 0.5), policy: TARGET, bounds, ...forecast(99) }).to, 3);
  });

  test("waits for the cooldown as every scale-out does", () => {
    const evaluation = evaluate({
      serving: alike(2, 0.5),
      policy: targetOf({ cooldownMs: 15_000 }),
      memory: { ...CALM, lastOutAtMs: NOW_MS - 5_000 },
      ...forecast(5),
    });
    assert.deepEqual(evaluation.limits, [
      { limit: "forecast", from: 2, to: 5 },
      { limit: "cooldown", from: 5, to: 2, remainingMs: 10_000 },
    ]);
  });

  test("holds also when nothing can be read", () => {
    const evaluation = evaluate({
      serving: usingCores(undefined, undefined),
      policy: TARGET,
      ...forecast(4),
    });
    assert.equal(evaluation.to, 4);
  });

  test("makes no second replica of a service that cannot have one, and nothing in a dry run", () => {
    assert.equal(evaluate({ serving: alike(1, 0.5), policy: TARGET, single: true, ...forecast(4) }).to, 1);
    assert.equal(
      evaluate({ serving: alike(1, 0.5), policy: { ...TARGET, dryRun: true }, ...forecast(4) }).to,
      1,
    );
  });

  test("is not remembered as a need: it goes when the forecast does", () => {
    const { memory } = decide(
      inputOf({ serving: alike(2, 0.6), policy: TARGET, memory: CALM, ...forecast(6) }),
    );
    assert.equal(Math.max(...memory.need.peaks), 2);
  });
});

describe("a budget of scale-ins", () => {
  const policy = policyOf({ scaleInsPerHour: 2, stabilizationMs: 0, windowMs: 10_000 });

  /** Evaluates an idle service of ten replicas each so many seconds; the seconds in which it scaled in. */
  function scaleInsOf(hours: number, everyMs: number, scaleInsPerHour: number): number[] {
    const policy = targetOf({ scaleInsPerHour, stabilizationMs: 0, windowMs: 2_000 });
    const at: number[] = [];
    let memory: ScalingMemory | undefined;
    for (let passedMs = 0; passedMs < hours * HOUR_MS; passedMs += everyMs) {
      const nowMs = NOW_MS + passedMs;
      const serving = alike(10, 0.1).map(() => ({ cpu: { mean: 0.1, newestAtMs: nowMs } }));
      const output = decide(inputOf({ nowMs, serving, policy, ...(memory === undefined ? {} : { memory }) }));
      ({ memory } = output);
      if (output.evaluation.to < 10) at.push(passedMs);
    }
    return at;
  }

  test("lets so many be made, and then tells how long until the next", () => {
    let memory: ScalingMemory | undefined;
    const evaluateAt = (secondsLater: number) => {
      const nowMs = NOW_MS + secondsLater * 1_000;
      const serving = alike(5, 0).map(() => ({ cpu: { mean: 0.05, newestAtMs: nowMs } }));
      const output = decide(inputOf({ nowMs, serving, policy, ...(memory === undefined ? {} : { memory }) }));
      ({ memory } = output);
      return output.evaluation;
    };
    assert.equal(evaluateAt(0).to, 4);
    assert.equal(evaluateAt(20).to, 4);
    const third = evaluateAt(40);
    assert.deepEqual([third.to, limitNames(third)], [5, ["scale-in budget"]]);
    const leftMs = third.limits[0]?.remainingMs ?? 0;
    assert.ok(leftMs > 0);
    assert.equal(evaluateAt(40 + leftMs / 1_000 - 1).to, 5);
    assert.equal(evaluateAt(40 + leftMs / 1_000 + 1).to, 4);
  });

  test("is not spent by a scale-in that something else holds, nor in a dry run", () => {
    const held = decide(inputOf({ serving: alike(5, 0.05), policy: { ...policy, stabilizationMs: 60_000 } }));
    const dry = decide(inputOf({ serving: alike(5, 0.05), policy: { ...policy, dryRun: true } }));
    for (const { memory } of [held, dry]) {
      assert.equal(
        evaluate({ serving: alike(5, 0.05), policy, memory: { ...memory, need: startNeed } }).to,
        4,
      );
    }
  });

  test("is not held against what the bounds demand", () => {
    const first = decide(inputOf({ serving: alike(5, 0.05), policy: { ...policy, scaleInsPerHour: 1 } }));
    const evaluation = evaluate({
      serving: alike(9, 0.6),
      policy: { ...policy, scaleInsPerHour: 1, maxReplicas: 4 },
      memory: first.memory,
    });
    assert.equal(evaluation.to, 4);
  });

  test("is not used up for longer by a clock that was set back", () => {
    const once = { ...policy, scaleInsPerHour: 1 };
    let { memory } = decide(inputOf({ serving: alike(5, 0.05), policy: once }));
    const setBackMs = NOW_MS - 24 * HOUR_MS;
    let made = 0;
    for (let second = 0; second <= 3_610; second += 10) {
      const nowMs = setBackMs + second * 1_000;
      const serving = alike(5, 0).map(() => ({ cpu: { mean: 0.05, newestAtMs: nowMs } }));
      const output = decide(inputOf({ nowMs, serving, policy: once, memory }));
      ({ memory } = output);
      if (output.evaluation.to < 5) made += 1;
    }
    assert.ok(made >= 1 && made <= 2, `${made} in an hour`);
  });

  test("is what a service that would scale in all the time makes of it, hour after hour", () => {
    for (const perHour of [1, 2, 6, 20]) {
      const made = scaleInsOf(10, 10_000, perHour).length;
      assert.ok(made >= 10 * perHour - 1 && made <= 11 * perHour, `${made} in ten hours, ${perHour} allowed`);
    }
  });

  test("is exceeded in no hour", () => {
    for (const perHour of [1, 2, 6, 20]) {
      const at = scaleInsOf(5, 10_000, perHour);
      for (const startMs of at) {
        const within = at.filter((atMs) => atMs >= startMs && atMs < startMs + HOUR_MS).length;
        assert.ok(within <= perHour, `${within} of ${perHour} in an hour`);
      }
    }
  });
});

const startNeed = { windowMs: 0, startedAtMs: NOW_MS, peaks: [] };
