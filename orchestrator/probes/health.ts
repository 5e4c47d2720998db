import type { ProbeTiming } from "./timing.ts";

/** What the answers of one replica, since its start, have come to. */
export interface ProbeHealth {
  readonly state: "starting" | "running" | "unhealthy";
  readonly wasReady: boolean;
  /** In a row; failures only as far as they count. */
  readonly failures: number;
  readonly successes: number;
}

export const UNASKED: ProbeHealth = { state: "starting", wasReady: false, failures: 0, successes: 0 };

/** Health after one more answer, `sinceStartMs` after the start of the replica. */
export function afterAnswer(
  timing: ProbeTiming,
  health: ProbeHealth,
  passed: boolean,
  sinceStartMs: number,
): ProbeHealth {
  if (passed) {
    const successes = health.successes + 1;
    if (health.state === "running" || successes < timing.successThreshold)
      return { ...health, successes, failures: 0 };
    return { state: "running", wasReady: true, failures: 0, successes };
  }
  const counts = health.wasReady || sinceStartMs >= timing.startPeriodMs;
  const failures = counts ? health.failures + 1 : 0;
  const state = failures >= timing.retries ? "unhealthy" : health.state;
  return { ...health, state, failures, successes: 0 };
}

/** From an answer to the next question. */
export function pauseMs(timing: ProbeTiming, { state }: ProbeHealth): number {
  return state === "starting" ? timing.startIntervalMs : timing.intervalMs;
}
