/** A collector that lived this long did its work: its end is a new story. */
const STABLE_AFTER_MS = 10_000;
const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 15_000;

/**
 * How long to wait before starting a process again: well within a second after a single death, doubled while it keeps
 * dying young.
 */
export function restartDelay(previousDelayMs: number | undefined, livedMs: number): number {
  if (previousDelayMs === undefined || livedMs >= STABLE_AFTER_MS) return FIRST_DELAY_MS;
  return Math.min(MAX_DELAY_MS, previousDelayMs * 2);
}
