import { MINUTE_MS, SECOND_MS } from "../core/units.ts";

/** Failures in a row of one slot or resource. */
export interface Attempts {
  readonly failures: number;
  readonly lastAtMs: number;
  /** What went wrong the last time. */
  readonly reason: string;
  /** Before the first retry; doubled at each further failure. */
  readonly delayMs: number;
}

export const FIRST_RETRY_MS = SECOND_MS;
const LONGEST_RETRY_MS = 5 * MINUTE_MS;

/** When it may be tried again. */
export function retryAtMs(attempts: Attempts): number {
  const delayMs = Math.min(attempts.delayMs * 2 ** Math.min(attempts.failures - 1, 30), LONGEST_RETRY_MS);
  return attempts.lastAtMs + delayMs;
}

export function failedAgain(
  before: Attempts | undefined,
  failure: { nowMs: number; reason: string; delayMs?: number },
): Attempts {
  return {
    failures: (before?.failures ?? 0) + 1,
    lastAtMs: failure.nowMs,
    reason: failure.reason,
    delayMs: failure.delayMs ?? before?.delayMs ?? FIRST_RETRY_MS,
  };
}
