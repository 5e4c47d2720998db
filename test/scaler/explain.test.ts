import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ScalingPolicy } from "../../core/types.ts";
import { decide, type ScalingInput } from "../../scaler/decide.ts";
import { explain } from "../../scaler/explain.ts";
import type { Mode } from "../../scaler/record.ts";
import {
  CALM,
  CPU_30_TO_70,
  inputOf,
  MAX_CPU_70,
  MAX_MEMORY_80,
  NOW_MS,
  policyOf,
  type ServingReplica,
  type Situation,
  targetOf,
  usingCores,
} from "./builders.ts";

interface Told {
  readonly mode?: Mode;
  readonly input?: Partial<ScalingInput>;
}

function told(situation: Situation, { mode = "live", input: more = {} }: Told = {}): readonly string[] {
  const input = { ...inputOf(situation), ...more };
  return explain({ input, evaluation: decide(input).evaluation, mode, startupMs: 12_000 });
}

const START = "learned: a replica is expected to serve 12s after it was ordered";
const FREE = "limit: none was in the way";
const TWO_RULES = policyOf({ rules: [MAX_CPU_70, MAX_MEMORY_80] });
const using = (cores: number, bytes: number | undefined): ServingReplica => ({
  cpu: { mean: cores, newestAtMs: NOW_MS - 400 },
  ...(bytes === undefined ? {} : { memory: { mean: bytes, newestAtMs: NOW_MS - 400 } }),
});
/** One whose scale-in window is learned. */
const learning = (): ScalingPolicy => {
  const { stabilizationMs: _, ...policy } = targetOf();
  return policy;
};

/** The situation, and all that is told of it. */
const STORIES: Record<string, { situation: Situation; told?: Told; lines: readonly string[] }> = {
  "a scale-out": {
    situation: { serving: usingCores(0.93, 0.93), policy: policyOf({ step: 2 }) },
    lines: [
      "2 → 4: cpu at 93 % is above 70 %, so 4 are wanted",
      "rule: cpu at 93 % is above 70 %, so alone it asks for 4 (mean of 10s, 93 % in the last moments; read from 2 of 2 replicas, at most 0ms old)",
      FREE,
      START,
      "otherwise: it would have stayed at 2 with cpu below 70 %, 25 % less than it was",
    ],
  },
  "nothing to do": {
    situation: { serving: usingCores(0.53, 0.53, 0.53) },
    lines: [
      "stays at 3: cpu at 53 % is below 70 %",
      "rule: cpu at 53 % is below 70 %, so alone it asks for no change (mean of 10s, 53 % in the last moments; read from 3 of 3 replicas, at most 0ms old)",
      FREE,
      START,
      "otherwise: 4 with cpu above 70 %, 32 % more than it was",
      "otherwise: 2 with cpu below 37 % for 6m, 30 % less than it was",
    ],
  },
  "a window that has not passed": {
    situation: {
      serving: usingCores(0.2, 0.2, 0.2),
      memory: { need: { ...CALM.need, peaks: [1, 1, 3, 1, 1, 1] } },
    },
    lines: [
      "stays at 3: cpu at 20 % leaves room below 70 %, so 2 would do, but 3 were needed within the last 5m, which counts for another 4m",
      "rule: cpu at 20 % leaves room below 70 %, so alone it would do with 2 (mean of 10s, 20 % in the last moments; read from 3 of 3 replicas, at most 0ms old)",
      "limit: stabilization, 3 in place of 2: 3 were needed within the last 5m, which counts for another 4m",
      START,
      "otherwise: 2 in 4m, if all stays as it is",
      "otherwise: 4 with cpu above 70 %, 3.5 times what it was",
    ],
  },
  "a cooldown": {
    situation: { serving: usingCores(0.9), memory: { ...CALM, lastOutAtMs: NOW_MS - 5_000 } },
    lines: [
      "stays at 1: cpu at 90 % is above 70 %, so 2 are wanted, but the cooldown of 15s lasts for another 10s",
      "rule: cpu at 90 % is above 70 %, so alone it asks for 2 (mean of 10s, 90 % in the last moments; read from 1 of 1 replica, at most 0ms old)",
      "limit: cooldown, 1 in place of 2: the cooldown of 15s lasts for another 10s",
      START,
      "otherwise: 2 in 10s, if all stays as it is",
    ],
  },
  "two rules, each of which may ask for more": {
    situation: { serving: [using(0.4, 700)], policy: TWO_RULES },
    lines: [
      "stays at 1: cpu at 40 % is below 70 % and memory at 70 % is below 80 %",
      "rule: cpu at 40 % is below 70 %, so alone it asks for no change (mean of 10s, 40 % in the last moments; read from 1 of 1 replica, at most 400ms old)",
      "rule: memory at 70 % is below 80 %, so alone it asks for no change (mean of 10s, 70 % in the last moments; read from 1 of 1 replica, at most 400ms old)",
      FREE,
      START,
      "otherwise: 2 with cpu above 70 %, 75 % more than it was",
      "otherwise: 2 with memory above 80 %, 14 % more than it was",
    ],
  },
  "one rule without a reading": {
    situation: { serving: [using(0.1, undefined), using(0.1, undefined)], policy: TWO_RULES, memory: CALM },
    lines: [
      "stays at 2: cpu at 10 % leaves room below 70 %, so 1 would do, but there is no fresh reading of memory from any of 2 replicas, and silence never scales in",
      "rule: cpu at 10 % leaves room below 70 %, so alone it would do with 1 (mean of 10s, 10 % in the last moments; read from 2 of 2 replicas, at most 400ms old)",
      "rule: no fresh reading of memory from any of 2 replicas, so it asks for nothing",
      "limit: data, 2 in place of 1: there is no fresh reading of memory from any of 2 replicas, and silence never scales in",
      START,
      "otherwise: 3 with cpu above 70 %, 7 times what it was",
      "otherwise: not fewer: a rule has no reading, and silence never scales in",
    ],
  },
  "no reading at all": {
    situation: { serving: usingCores(undefined, undefined) },
    lines: [
      "stays at 2: no fresh reading of cpu from any of 2 replicas",
      "rule: no fresh reading of cpu from any of 2 replicas, so it asks for nothing",
      FREE,
      START,
      "otherwise: nothing, until there is a reading of cpu",
    ],
  },
  "as many as there may be": {
    situation: { serving: usingCores(0.9, 0.9), policy: policyOf({ maxReplicas: 2 }) },
    lines: [
      "stays at 2: cpu at 90 % is above 70 %, so 3 are wanted, but 2 is the maximum",
      "rule: cpu at 90 % is above 70 %, so alone it asks for 3 (mean of 10s, 90 % in the last moments; read from 2 of 2 replicas, at most 0ms old)",
      "limit: bounds, 2 in place of 3: 2 is the maximum",
      START,
      "otherwise: not more: it may have 1 to 2",
      "otherwise: 1 with cpu below 28 % for 6m, 69 % less than it was",
    ],
  },
  "what is often needed": {
    situation: {
      serving: usingCores(0.3, 0.3, 0.3),
      policy: learning(),
      oftenNeeded: { replicas: 3, gapMs: 180_000 },
      memory: { need: { ...CALM.need, windowMs: 30_000 } },
    },
    lines: [
      "stays at 3: cpu at 30 % leaves room below 70 %, so 2 would do, but 3 are needed again every 3m on average, too often to take the last of them away",
      "rule: cpu at 30 % leaves room below 70 %, so alone it would do with 2 (mean of 10s, 30 % in the last moments; read from 3 of 3 replicas, at most 0ms old)",
      "limit: often needed, 3 in place of 2: 3 are needed again every 3m on average, too often to take the last of them away",
      START,
      "learned: 3 replicas are needed again every 3m on average",
      "otherwise: 4 with cpu above 77 %, 2.6 times what it was",
      "otherwise: not fewer: 3 are needed too often",
    ],
  },
  "rules that wait for approval": {
    situation: { serving: usingCores(0.9), policy: policyOf({ dryRun: true }) },
    told: { mode: "shadow" },
    lines: [
      "stays at 1: cpu at 90 % is above 70 %, so 2 are wanted, but it waits for flyball approve shop_web",
      "shadow: these rules have never scaled it, so it is only watched until flyball approve shop_web",
      "rule: cpu at 90 % is above 70 %, so alone it asks for 2 (mean of 10s, 90 % in the last moments; read from 1 of 1 replica, at most 0ms old)",
      "limit: dry run, 1 in place of 2: it waits for flyball approve shop_web",
      START,
      "otherwise: it would have stayed at 1 with cpu below 70 %, 22 % less than it was",
    ],
  },
  "a forecast that raises the floor, and a schedule that sets the bounds": {
    situation: {
      serving: usingCores(0.5, 0.5),
      bounds: { minReplicas: 2, maxReplicas: 8, schedule: "0 8 * * 1-5" },
      forecast: { replicas: 4, forMs: NOW_MS + 180_000 },
    },
    lines: [
      "2 → 4: cpu at 50 % is below 70 %, but 4 are expected to be needed soon",
      "rule: cpu at 50 % is below 70 %, so alone it asks for no change (mean of 10s, 50 % in the last moments; read from 2 of 2 replicas, at most 0ms old)",
      "limit: forecast, 4 in place of 2: 4 are expected to be needed soon",
      START,
      "learned: its own history expects that 4 are needed in 3m",
      "learned: the schedule 0 8 * * 1-5 allows 2 to 8 replicas now",
      "otherwise: not fewer: 4 are expected to be needed soon",
    ],
  },
  "replicas on their way": {
    situation: { serving: usingCores(1, 1), desired: 4 },
    lines: [
      "stays at 4: cpu at 100 % is above 70 %, and 2 more replicas on the way",
      "replicas: 2 of 4 serve, 2 on the way",
      "rule: cpu at 100 % is above 70 %, and 2 more replicas on the way, so alone it asks for no change (mean of 10s, 100 % in the last moments; read from 2 of 2 replicas, at most 0ms old)",
      FREE,
      START,
      "otherwise: 5 with cpu above 140 %, 40 % more than it was",
      "otherwise: 3 with cpu below 14 % for 6m, 86 % less than it was",
    ],
  },
  "a service that does nothing": {
    situation: { serving: usingCores(0), policy: policyOf({ rules: [CPU_30_TO_70] }) },
    lines: [
      "stays at 1: cpu at 0 % is below 30 %, and one replica is the fewest",
      "rule: cpu at 0 % is below 30 %, so alone it would do with 1 (mean of 10s, 0 % in the last moments; read from 1 of 1 replica, at most 0ms old)",
      FREE,
      START,
      "otherwise: 2 with cpu above 70 %",
    ],
  },
};

describe("the explanation of an evaluation", () => {
  for (const [name, story] of Object.entries(STORIES)) {
    test(`of ${name}`, () => assert.deepEqual(told(story.situation, story.told), story.lines));
  }
});

describe("what would have to change", () => {
  test("is true: with a little more than that the count is another, with a little less it is not", () => {
    const levelOf = (lines: readonly string[], side: "above" | "below") => {
      const found = lines.map((line) => new RegExp(`cpu ${side} (\\d+) %`).exec(line)?.[1]).find(Boolean);
      assert.ok(found !== undefined, lines.join("\n"));
      return Number(found) / 100;
    };
    const at = (cores: number) => decide(inputOf({ serving: usingCores(cores, cores, cores), memory: CALM }));
    const lines = told({ serving: usingCores(0.5, 0.5, 0.5), memory: CALM });
    const above = levelOf(lines, "above");
    const below = levelOf(lines, "below");
    const count = (cores: number) => at(cores).evaluation.to;
    assert.deepEqual([count(above - 0.01), count(above + 0.01)], [3, 4]);
    assert.deepEqual([count(below + 0.01), count(below - 0.01)], [3, 2]);
  });
});

describe("the trouble of an expression", () => {
  const rules = [MAX_CPU_70, { metric: "query", max: 10, expression: "queue_length" }] as const;
  const input = inputOf({ serving: usingCores(0.5), policy: targetOf({ rules }) });
  const recorded = { input, evaluation: decide(input).evaluation, mode: "live", startupMs: 12_000 } as const;

  test("stands after the rules, and only where there is any", () => {
    const lines = explain(recorded, (expression) => (expression === "queue_length" ? "it hangs" : undefined));
    assert.deepEqual(
      lines.slice(1, 4).map((line) => line.split(" ", 2).join(" ")),
      ["rule: cpu", "rule: no", "trouble: queue_length:"],
    );
    assert.equal(lines[3], "trouble: queue_length: it hangs");
    assert.ok(!explain(recorded).some((line) => line.startsWith("trouble")));
  });
});
