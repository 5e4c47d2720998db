import assert from "node:assert/strict";
import { test, describe as topic } from "node:test";
import type { ScalingMemory } from "../../scaler/decide.ts";
import { describe } from "../../scaler/describe.ts";
import {
  alike,
  CALM,
  CPU_30_TO_70,
  evaluate,
  MAX_CPU_70,
  MAX_MEMORY_80,
  NOW_MS,
  policyOf,
  type ServingReplica,
  type Situation,
  targetOf,
  usingCores,
} from "./builders.ts";

function sentence(situation: Situation): string {
  return describe(evaluate(situation), situation.policy ?? policyOf());
}

const WITH_MIN = policyOf({ rules: [CPU_30_TO_70] });
const TWO_RULES = policyOf({ rules: [MAX_CPU_70, MAX_MEMORY_80] });
const { stabilizationMs: _, ...LEARNING } = targetOf();
const LEARNED: ScalingMemory = { need: { ...CALM.need, windowMs: 30_000 } };
const RISING: ServingReplica = { cpu: { mean: 0.5, burst: 1, newestAtMs: NOW_MS } };
const FALLING: ServingReplica = { cpu: { mean: 0.9, burst: 0.5, newestAtMs: NOW_MS } };
const WAKING: ServingReplica = { cpu: { mean: 0.1, burst: 0.5, newestAtMs: NOW_MS } };
const changed = (agoMs: number): ScalingMemory => ({ ...CALM, lastOutAtMs: NOW_MS - agoMs });
const using = (cores: number | undefined, bytes: number | undefined): ServingReplica => ({
  ...(cores === undefined ? {} : { cpu: { mean: cores, newestAtMs: NOW_MS } }),
  ...(bytes === undefined ? {} : { memory: { mean: bytes, newestAtMs: NOW_MS } }),
});

/** The situation, and how it is told. */
const STORIES: Record<string, [Situation, string]> = {
  "too busy": [
    { serving: usingCores(0.93, 0.93), policy: policyOf({ step: 2 }) },
    "2 → 4: cpu at 93 % is above 70 %, so 4 are wanted",
  ],
  "only just too busy": [
    { serving: usingCores(0.702) },
    "1 → 2: cpu at 70.2 % is above 70 %, so 2 are wanted",
  ],
  "only just not too busy": [{ serving: usingCores(0.7) }, "stays at 1: cpu at 70 % is at most 70 %"],
  "a jump": [
    { serving: [RISING, RISING, RISING, RISING] },
    "4 → 5: cpu has jumped to 100 %, above 70 %, so 5 are wanted",
  ],
  "too busy, so far as is known": [
    { serving: usingCores(0.9, 0.9, undefined) },
    "3 → 4: cpu at 90 % on 2 of 3 is above 70 %, so 4 are wanted",
  ],
  "both metrics too high": [
    { serving: [using(0.8, 900)], policy: TWO_RULES },
    "1 → 2: cpu at 80 % is above 70 % and memory at 90 % is above 80 %, so 2 are wanted",
  ],
  "only the metric that asks is told": [
    { serving: [using(0.2, 900)], policy: TWO_RULES },
    "1 → 2: memory at 90 % is above 80 %, so 2 are wanted",
  ],
  "the cooldown holds it": [
    { serving: usingCores(0.9), memory: changed(5_000) },
    "stays at 1: cpu at 90 % is above 70 %, so 2 are wanted, but the cooldown of 15s lasts for another 10s",
  ],
  "too busy while help is coming": [
    { serving: usingCores(1, 1), desired: 4 },
    "stays at 4: cpu at 100 % is above 70 %, and 2 more replicas on the way",
  ],
  "help has come and the window does not show it yet": [
    { serving: [FALLING, FALLING] },
    "stays at 2: cpu at 90 % is above 70 %, but down to 50 % by now",
  ],
  "as many as there may be": [
    { serving: usingCores(0.9, 0.9), policy: policyOf({ maxReplicas: 2 }) },
    "stays at 2: cpu at 90 % is above 70 %, so 3 are wanted, but 2 is the maximum",
  ],
  "a dry run of a step that the maximum cuts short": [
    { serving: usingCores(0.9, 0.9), policy: policyOf({ maxReplicas: 3, step: 4, dryRun: true }) },
    "stays at 2: cpu at 90 % is above 70 %, so 6 are wanted, but 3 is the maximum, and this is a dry run",
  ],
  "no room for those that were ordered": [
    { serving: usingCores(2, 2), desired: 3, policy: targetOf(), noRoom: "needs 2.0 cores, 0.6 free" },
    "stays at 3: cpu at 200 % is above 70 %, so 6 are wanted, but those that were ordered find no room: one needs 2.0 cores, 0.6 free",
  ],
  "a service that cannot have two": [
    { serving: usingCores(0.9), single: true },
    "stays at 1: cpu at 90 % is above 70 %, so 2 are wanted, but the service cannot have a second replica",
  ],
  "content, with one threshold": [{ serving: usingCores(0.6) }, "stays at 1: cpu at 60 % is below 70 %"],
  "content, with two thresholds": [
    { serving: usingCores(0.5), policy: WITH_MIN },
    "stays at 1: cpu at 50 % is between 30 % and 70 %",
  ],
  "idle and already the fewest": [
    { serving: usingCores(0.02), policy: WITH_MIN },
    "stays at 1: cpu at 2 % is below 30 %, and one replica is the fewest",
  ],
  "fewer than there must be": [
    { serving: usingCores(0.5), policy: policyOf({ minReplicas: 3 }) },
    "1 → 3: cpu at 50 % is below 70 %, but 3 is the minimum",
  ],
  "room to spare": [
    { serving: usingCores(0.2, 0.2, 0.2), memory: CALM },
    "3 → 2: cpu at 20 % leaves room below 70 %, so 2 would do",
  ],
  "below the lower threshold": [
    { serving: usingCores(0.2, 0.2, 0.2), policy: WITH_MIN, memory: CALM },
    "3 → 2: cpu at 20 % is below 30 %, so 2 would do",
  ],
  "below the lower threshold, and rising": [
    { serving: [WAKING, WAKING], policy: WITH_MIN },
    "stays at 2: cpu at 10 % is below 30 %, but up at 50 % by now",
  ],
  "below the lower threshold, so far as is known": [
    { serving: usingCores(0.29, 0.29, undefined), policy: WITH_MIN },
    "stays at 3: cpu at 29 % on 2 of 3 is below 30 %, but one more may be busy",
  ],
  "more was needed not long ago": [
    {
      serving: usingCores(0.01, 0.01, 0.01),
      memory: { need: { ...CALM.need, peaks: [1, 1, 3, 1, 1, 1] } },
    },
    "stays at 3: cpu at 1 % leaves room below 70 %, so 2 would do, but 3 were needed within the last 5m, which counts for another 4m",
  ],
  "the last change is young": [
    { serving: usingCores(0.01, 0.01), memory: changed(4_000) },
    "stays at 2: cpu at 1 % leaves room below 70 %, so 1 would do, but the last change has to settle for another 6s",
  ],
  "a step that would be undone": [
    { serving: usingCores(0.25, 0.25, 0.25), policy: { ...WITH_MIN, step: 2 }, memory: CALM },
    "3 → 2: cpu at 25 % is below 30 %, so 1 would do, but 1 would run at 75 % and soon scale out again",
  ],
  "one metric is silent": [
    { serving: [using(0.1, undefined), using(0.1, undefined)], policy: TWO_RULES, memory: CALM },
    "stays at 2: cpu at 10 % leaves room below 70 %, so 1 would do, but there is no fresh reading of memory from any of 2 replicas, and silence never scales in",
  ],
  "everything is silent": [
    { serving: usingCores(undefined, undefined, undefined) },
    "stays at 3: no fresh reading of cpu from any of 3 replicas",
  ],
  "the only replica is silent, in both metrics": [
    { serving: [using(undefined, undefined)], policy: TWO_RULES },
    "stays at 1: no fresh reading of cpu and memory from the replica",
  ],
  "nothing serves yet": [{ serving: [], desired: 2, policy: TWO_RULES }, "stays at 2: no replica serves yet"],
  "as near to the target as it gets": [
    { serving: alike(5, 0.74), policy: targetOf() },
    "stays at 5: cpu at 74 % is above 70 %, and 62 % with one more would be further from it",
  ],
  "far from the target": [
    { serving: alike(4, 0.9), policy: targetOf() },
    "4 → 5: cpu at 90 % is above 70 %, so 5 are wanted",
  ],
  "room for several at once": [
    { serving: alike(8, 0.25), policy: targetOf(), memory: CALM },
    "8 → 3: cpu at 25 % leaves room below 70 %, so 3 would do",
  ],
  "nobody can see how much is wanted": [
    { serving: alike(2, 1), policy: targetOf({ rules: [{ ...MAX_CPU_70, enforced: true }] }) },
    "2 → 7: cpu at 100 %, all that there is, is above 70 %, so 7 are wanted",
  ],
  "nobody can see how much is wanted, since moments": [
    { serving: [RISING, RISING], policy: targetOf({ rules: [{ ...MAX_CPU_70, enforced: true }] }) },
    "2 → 7: cpu has jumped to 100 %, all that there is, above 70 %, so 7 are wanted",
  ],
  "too many requests per second": [
    {
      serving: [{ rps: { mean: 123.4, newestAtMs: NOW_MS } }],
      policy: targetOf({ rules: [{ metric: "rps", max: 50 }] }),
    },
    "1 → 3: rps at 123/s per replica is above 50/s per replica, so 3 are wanted",
  ],
  "too slow": [
    {
      serving: [{}, {}],
      levels: { latency: { mean: 751, newestAtMs: NOW_MS } },
      policy: targetOf({ rules: [{ metric: "latency", max: 200 }] }),
    },
    "2 → 4: latency at 751 ms is above 200 ms, so 4 are wanted",
  ],
  "an answer to a query that is too high": [
    {
      serving: [{}, {}],
      levels: { query: { mean: 10.7654, newestAtMs: NOW_MS } },
      policy: targetOf({ rules: [{ metric: "query", max: 10, expression: "queue_length" }] }),
    },
    "stays at 2: query at 10.77 is above 10, and 7.177 with one more would be further from it",
  ],
  "a query without an answer": [
    { serving: [{}, {}], policy: targetOf({ rules: [{ metric: "query", max: 10, expression: "up" }] }) },
    "stays at 2: no fresh answer to the query",
  ],
  "a step that would be undone in memory": [
    {
      serving: [using(undefined, 450), using(undefined, 450)],
      policy: policyOf({ rules: [{ ...MAX_MEMORY_80, min: 0.5 }] }),
      memory: CALM,
    },
    "stays at 2: memory at 45 % is below 50 %, so 1 would do, but 1 would run at 90 % and soon scale out again",
  ],
  "more is needed again and again": [
    {
      serving: alike(6, 0.05),
      policy: LEARNING,
      memory: LEARNED,
      oftenNeeded: { replicas: 4, gapMs: 190_000 },
    },
    "6 → 4: cpu at 5 % leaves room below 70 %, so 1 would do, but 4 are needed again every 3m10s on average, too often to take the last of them away",
  ],
  "more was needed not long ago, and the window is learned": [
    { serving: alike(3, 0.05), policy: LEARNING, oftenNeeded: { replicas: 1, gapMs: 0 } },
    "stays at 3: cpu at 5 % leaves room below 70 %, so 1 would do, but 3 were needed not long ago, which counts for another 36s",
  ],
  "the budget of the hour is used up": [
    {
      serving: alike(3, 0.1),
      policy: policyOf({ scaleInsPerHour: 4 }),
      memory: { ...CALM, scaleInsAtMs: [54, 40, 30, 20].map((minutes) => NOW_MS - minutes * 60_000) },
    },
    "stays at 3: cpu at 10 % leaves room below 70 %, so 2 would do, but the 4 scale-ins of the hour are used up for another 6m",
  ],
  "as many as the schedule allows": [
    {
      serving: alike(4, 0.9),
      policy: targetOf(),
      bounds: { minReplicas: 1, maxReplicas: 4, schedule: "0 20 * * *" },
    },
    "stays at 4: cpu at 90 % is above 70 %, so 5 are wanted, but 4 is the maximum by the schedule 0 20 * * *",
  ],
  "more is expected": [
    { serving: alike(2, 0.5), policy: targetOf(), forecast: { replicas: 5 } },
    "2 → 5: cpu at 50 % is below 70 %, but 5 are expected to be needed soon",
  ],
  "more is expected than the cooldown lets go": [
    {
      serving: alike(2, 0.6),
      policy: policyOf(),
      forecast: { replicas: 5 },
      memory: changed(5_000),
    },
    "stays at 2: cpu at 60 % is below 70 %, but 5 are expected to be needed soon, and the cooldown of 15s lasts for another 10s",
  ],
};

topic("the sentence of a decision", () => {
  for (const [name, [situation, expected]] of Object.entries(STORIES)) {
    test(name, () => assert.equal(sentence(situation), expected));
  }

  test("of a service that is only watched says until when", () => {
    const policy = policyOf({ dryRun: true });
    const evaluation = evaluate({ serving: usingCores(0.9), policy });
    const asked = "stays at 1: cpu at 90 % is above 70 %, so 2 are wanted, but";
    assert.equal(describe(evaluation, policy, "shadow"), `${asked} it waits for flyball approve shop_web`);
    assert.equal(describe(evaluation, policy, "paused"), `${asked} scaling is paused`);
  });
});
