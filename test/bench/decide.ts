import type { Rule, ScalingPolicy } from "../../core/types.ts";
import { decide, type ScalingInput, type ServingReplica } from "../../scaler/decide.ts";
import { describe } from "../../scaler/describe.ts";
import type { Bench, Figure } from "./figure.ts";

const GOAL_PER_SECOND = 1_000_000;
/** The input that the goal is read on. */
const GOAL_INPUT = { replicas: 4, rules: 1 };
const INPUTS = [1, 4, 10].flatMap((replicas) => [1, 2].map((rules) => ({ replicas, rules })));

const ROUNDS = 5;
const EVALUATIONS = 200_000;
const SECOND_MS = 1_000;
const START_MS = Date.UTC(2030, 0, 1);

const RULES: readonly Rule[] = [
  { metric: "cpu", maxRatio: 0.7, capacity: 1 },
  { metric: "memory", maxRatio: 0.8, capacity: 512 * 2 ** 20 },
];

type Work = (input: ScalingInput) => ReturnType<typeof decide>["memory"];

const decideAlone: Work = (input) => decide(input).memory;

let described = 0;
const decideAndDescribe: Work = (input) => {
  const { evaluation, memory } = decide(input);
  described += describe(evaluation, input.policy).length;
  return memory;
};

/** Evaluations per second, one after the other as in life: each with the memory of the one before. */
export const benchDecide: Bench = async (say) => {
  const figures: Figure[] = [];
  for (const [name, work] of Object.entries({
    decide: decideAlone,
    "decide + describe": decideAndDescribe,
  })) {
    for (const { replicas, rules } of INPUTS) {
      const perSecond = bestOf(work, replicas, RULES.slice(0, rules));
      const isGoal = work === decideAlone && replicas === GOAL_INPUT.replicas && rules === GOAL_INPUT.rules;
      figures.push({
        name: `${name}, ${count(replicas, "replica")}, ${count(rules, "rule")}`,
        value: Math.round(perSecond),
        unit: "evaluations/s",
        ...(isGoal ? { goal: { is: "at least", value: GOAL_PER_SECOND } } : {}),
      });
    }
  }
  say(`one core; best of ${ROUNDS} rounds of ${EVALUATIONS} evaluations; ${described} characters described`);
  return figures;
};

/** The best round is the one that the machine's other work disturbed least. */
function bestOf(work: Work, replicas: number, rules: readonly Rule[]): number {
  let best = 0;
  for (let round = 0; round < ROUNDS; round += 1) best = Math.max(best, measure(work, replicas, rules));
  return best;
}

function measure(work: Work, replicas: number, rules: readonly Rule[]): number {
  const policy: ScalingPolicy = {
    rules,
    minReplicas: 1,
    maxReplicas: 20,
    step: 2,
    windowMs: 10_000,
    cooldownMs: 15_000,
    stabilizationMs: 300_000,
    dryRun: false,
  };
  const inputs = [0.2, 0.5, 0.9].map((share) => servingAt(share, replicas));
  let memory: ReturnType<Work> | undefined;
  const startedAtMs = performance.now();
  for (let evaluation = 0; evaluation < EVALUATIONS; evaluation += 1) {
    const nowMs = START_MS + evaluation * SECOND_MS;
    // A minute each of idle, content and too busy: every way through the decision is walked.
    const serving = inputs[Math.floor(evaluation / 60) % inputs.length] ?? [];
    memory = work({
      nowMs,
      service: "shop_web",
      policy,
      desired: replicas,
      serving: serving.map((read) => read(nowMs)),
      single: false,
      ...(memory === undefined ? {} : { memory }),
    });
  }
  return (EVALUATIONS * SECOND_MS) / (performance.now() - startedAtMs);
}

function servingAt(share: number, replicas: number): readonly ((nowMs: number) => ServingReplica)[] {
  return Array.from({ length: replicas }, (_, index) => (nowMs: number) => ({
    cpu: { mean: share + index / 1_000, burst: share + index / 2_000, newestAtMs: nowMs - 20 },
    memory: { mean: share * 256 * 2 ** 20, burst: share * 256 * 2 ** 20, newestAtMs: nowMs - 20 },
  }));
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
