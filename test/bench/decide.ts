import type { Rule, ScalingPolicy } from "../../core/types.ts";
import { decide, type ScalingInput } from "../../scaler/decide.ts";
import { describe } from "../../scaler/describe.ts";
import type { RuleObservation } from "../../scaler/rules.ts";
import type { Bench, Figure } from "./figure.ts";

const GOAL_PER_SECOND = 1_000_000;
/** The input that the goal is read on: what labels without a word about it mean. */
const GOAL_INPUT = { kind: "target", rules: 1 };
const INPUTS = (["step", "target"] as const).flatMap((kind) => [1, 2].map((rules) => ({ kind, rules })));

const ROUNDS = 5;
const EVALUATIONS = 200_000;
const SECOND_MS = 1_000;
const START_MS = Date.UTC(2030, 0, 1);
const REPLICAS = 4;

const RULES: readonly Rule[] = [
  { metric: "cpu", max: 0.7, capacity: 1, enforced: true },
  { metric: "memory", max: 0.8, capacity: 512 * 2 ** 20 },
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
    for (const { kind, rules } of INPUTS) {
      const perSecond = bestOf(work, policyOf(kind, RULES.slice(0, rules)));
      const isGoal = work === decideAlone && kind === GOAL_INPUT.kind && rules === GOAL_INPUT.rules;
      figures.push({
        name: `${name}, ${kind}, ${rules} rule${rules === 1 ? "" : "s"}`,
        value: Math.round(perSecond),
        unit: "evaluations/s",
        ...(isGoal ? { goal: { is: "at least", value: GOAL_PER_SECOND } } : {}),
      });
    }
  }
  say(`one core; best of ${ROUNDS} rounds of ${EVALUATIONS} evaluations; ${described} characters described`);
  return figures;
};

function policyOf(kind: ScalingPolicy["kind"], rules: readonly Rule[]): ScalingPolicy {
  return {
    rules,
    kind,
    minReplicas: 1,
    maxReplicas: 20,
    step: 2,
    windowMs: 10_000,
    cooldownMs: 15_000,
    schedule: [],
    predict: false,
    dryRun: false,
  };
}

/** The best round is the one that the machine's other work disturbed least. */
function bestOf(work: Work, policy: ScalingPolicy): number {
  let best = 0;
  for (let round = 0; round < ROUNDS; round += 1) best = Math.max(best, measure(work, policy));
  return best;
}

function measure(work: Work, policy: ScalingPolicy): number {
  const situations = [0.2, 0.5, 0.9].map((level) => policy.rules.map(() => observationAt(level)));
  let memory: ReturnType<Work> | undefined;
  const startedAtMs = performance.now();
  for (let evaluation = 0; evaluation < EVALUATIONS; evaluation += 1) {
    // A minute each of idle, content and too busy: every way through the decision is walked.
    const observations = situations[Math.floor(evaluation / 60) % situations.length] ?? [];
    memory = work({
      nowMs: START_MS + evaluation * SECOND_MS,
      service: "shop_web",
      policy,
      desired: REPLICAS,
      serving: REPLICAS,
      observations,
      single: false,
      ...(memory === undefined ? {} : { memory }),
    });
  }
  return (EVALUATIONS * SECOND_MS) / (performance.now() - startedAtMs);
}

function observationAt(level: number): RuleObservation {
  const sum = level * REPLICAS;
  return { read: REPLICAS, sum, burstSum: sum * 0.99, cautiousSum: sum, ageMs: 20 };
}
