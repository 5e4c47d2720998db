import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../core/units.ts";

const FIRST_MS = SECOND_MS;
const LONGEST_MS = 5 * MINUTE_MS;
/** A receiver that asks for more than this is asked again all the same. */
const MOST_PATIENCE_MS = HOUR_MS;
/** What nobody could be told of for so long is told of no more. */
const GIVE_UP_AFTER_MS = DAY_MS;

/** An attempt that failed. */
export interface FailedAttempt {
  readonly nowMs: number;
  /** How many there were, with this one. */
  readonly attempts: number;
  readonly createdAtMs: number;
  /** What the receiver asked for. */
  readonly retryAfterMs?: number;
  /** Chance, from 0 to 1: so that those who failed together do not come back together. */
  readonly jitter: number;
}

/** When to try again; undefined: not any more. */
export function nextAttemptAtMs(failed: FailedAttempt): number | undefined {
  const { nowMs, attempts, createdAtMs, retryAfterMs, jitter } = failed;
  if (nowMs - createdAtMs >= GIVE_UP_AFTER_MS) return undefined;
  const doublings = Math.min(attempts - 1, 20);
  const pauseMs = Math.min(FIRST_MS * 2 ** doublings, LONGEST_MS) * (0.5 + jitter / 2);
  return nowMs + Math.max(pauseMs, Math.min(retryAfterMs ?? 0, MOST_PATIENCE_MS));
}
