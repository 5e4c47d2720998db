import { MINUTE_MS, SECOND_MS } from "../../core/units.ts";
import { replicasFor } from "../../scaler/backtest/load.ts";
import { simulate } from "../../scaler/backtest/simulate.ts";
import { stepLoad } from "./scaler-loads.ts";
import type { MakePolicy } from "./scaler-policies.ts";

/** Seconds after the step, mean and worst over the phases. */
export interface StepAnswer {
  readonly decision: Delays;
  readonly ordered: Delays;
  readonly serving: Delays;
}

interface Delays {
  readonly mean: number;
  readonly worst: number;
}

const REPLICAS = 4;
const BEFORE = REPLICAS * 0.55;
const AFTER = BEFORE * 3;
const START_DELAY_MS = 10 * SECOND_MS;
const CALM_MS = 20 * MINUTE_MS;
const LENGTH_MS = 50 * MINUTE_MS;
/** The step meets a policy that looks once in a while at any point between two looks: a minute, in 3 s. */
const PHASES = 20;
const PHASE_MS = 3 * SECOND_MS;

/** Four replicas at 55 % are asked for three times as much, with a sample each second. */
export function stepTest(make: MakePolicy): StepAnswer {
  const answers = Array.from({ length: PHASES }, (_, phase) => answerTo(make, CALM_MS + phase * PHASE_MS));
  return {
    decision: delaysOf(answers.map(({ decision }) => decision)),
    ordered: delaysOf(answers.map(({ ordered }) => ordered)),
    serving: delaysOf(answers.map(({ serving }) => serving)),
  };
}

function answerTo(make: MakePolicy, stepAtMs: number) {
  const load = stepLoad(BEFORE, AFTER, stepAtMs, LENGTH_MS);
  const situation = {
    load,
    startDelayMs: START_DELAY_MS,
    minReplicas: 1,
    maxReplicas: 60,
    initialReplicas: REPLICAS,
  };
  const { ordered, serving } = simulate(situation, make(situation));
  const first = stepAtMs / SECOND_MS;
  const before = ordered[first - 1] ?? REPLICAS;
  const enough = replicasFor(AFTER);
  const after = (counts: Uint16Array, least: number) => {
    const found = counts.findIndex((count, second) => second >= first && count >= least);
    return found < 0 ? Number.POSITIVE_INFINITY : found - first;
  };
  return {
    decision: after(ordered, before + 1),
    ordered: after(ordered, enough),
    serving: after(serving, enough),
  };
}

function delaysOf(seconds: readonly number[]): Delays {
  return {
    mean: seconds.reduce((sum, value) => sum + value, 0) / seconds.length,
    worst: Math.max(...seconds),
  };
}
