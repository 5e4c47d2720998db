/** What a series of checks means for a replica. */
import type { Healthcheck } from "../../../core/types.ts";

export interface Health {
  readonly state: "starting" | "running" | "unhealthy";
  /** Failures in a row that count. */
  readonly failures: number;
}

export const UNKNOWN_HEALTH: Health = { state: "starting", failures: 0 };
export const GOOD_HEALTH: Health = { state: "running", failures: 0 };

/** How often a replica that is starting is asked, when the file does not say. */
const START_INTERVAL_MS = 1_000;

/**
 * While a replica is starting it is asked more often than it will be, so that it serves as soon as it can. Failures
 * of that time do not count, before the start period is over or before an engine that asks once per interval would
 * have asked at all.
 */
function graceMs(check: Healthcheck): number {
  return Math.max(check.startPeriodMs, check.intervalMs);
}

/** Health after one more answer, `sinceStartMs` after the start. */
export function afterCheck(
  check: Healthcheck,
  health: Health,
  passed: boolean,
  sinceStartMs: number,
): Health {
  if (passed) return GOOD_HEALTH;
  if (health.state === "starting" && sinceStartMs < graceMs(check)) return health;
  const failures = health.failures + 1;
  return { state: failures >= Math.max(1, check.retries) ? "unhealthy" : health.state, failures };
}

/** From the end of one check to the next. */
export function pauseMs(check: Healthcheck, health: Health, sinceStartMs: number): number {
  const starting = health.state === "starting" && sinceStartMs < graceMs(check);
  if (!starting) return check.intervalMs;
  return Math.min(check.startIntervalMs ?? START_INTERVAL_MS, check.intervalMs);
}

/** The command to execute; undefined for `NONE`, and for what is no test at all. */
export function checkCommand(test: readonly string[]): readonly string[] | undefined {
  const [kind, ...rest] = test;
  if (kind === "CMD" && rest.length > 0) return rest;
  if (kind === "CMD-SHELL" && rest[0] !== undefined) return ["/bin/sh", "-c", rest[0]];
  return undefined;
}
