import type { Autoscaler, Observation, Situation } from "../../../scaler/backtest/autoscaler.ts";
import { type Load, replicasFor } from "../../../scaler/backtest/load.ts";
import { simulate } from "../../../scaler/backtest/simulate.ts";

export const SECOND_MS = 1_000;

/** A load of so many replica-units at each step, from instant 0; nothing of it is history. */
export function loadOfDemand(demand: readonly number[], stepMs = 5 * SECOND_MS): Load {
  return { startMs: 0, stepMs, demand: Float64Array.from(demand), scoredFrom: 0, capacity: 1 };
}

/** So many steps of each demand. */
export function inPhases(...phases: readonly (readonly [steps: number, demand: number])[]): number[] {
  return phases.flatMap(([steps, demand]) => Array.from({ length: steps }, () => demand));
}

export function situationOf(load: Load, changes: Partial<Situation> = {}): Situation {
  return { load, startDelayMs: 5 * SECOND_MS, minReplicas: 1, maxReplicas: 60, ...changes };
}

/** Wants what stands at each step, in order. */
export function scripted(...counts: readonly number[]): Autoscaler {
  let step = 0;
  return {
    name: "scripted",
    next: () => {
      step += 1;
      return counts[step - 1] ?? Number.NaN;
    },
  };
}

/** Orders what the demand it sees takes. */
export function prompt(): Autoscaler {
  return { name: "prompt", next: ({ demand }) => replicasFor(demand) };
}

/** The counts that a policy ordered, step by step. */
export function orderedBy(
  policy: Autoscaler,
  demand: readonly number[],
  changes: Partial<Situation> & { readonly stepMs?: number } = {},
): number[] {
  const { stepMs, ...rest } = changes;
  return [...simulate(situationOf(loadOfDemand(demand, stepMs), rest), policy).ordered];
}

/** Where the count changed, as `second: count`. */
export function changesOf(counts: readonly number[], stepMs = 5 * SECOND_MS): string[] {
  return counts.flatMap((count, step) =>
    step > 0 && count !== counts[step - 1] ? [`${(step * stepMs) / SECOND_MS}: ${count}`] : [],
  );
}

/** A policy, asked with the same observation each time but for the instant and what is told. */
export function asking(policy: Autoscaler, stepMs: number) {
  let nowMs = -stepMs;
  return (seen: Partial<Observation>): number => {
    nowMs += stepMs;
    return policy.next({ nowMs, desired: 4, serving: 4, utilization: 0.5, demand: 2, ...seen });
  };
}
