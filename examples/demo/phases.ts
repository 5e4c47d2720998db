/** One stretch of load at one rate. Times are milliseconds since the load began. */
export interface Phase {
  readonly name: string;
  /** Requests per second, as a multiple of the calm rate. */
  readonly factor: number;
  readonly fromMs: number;
  readonly toMs: number;
}

export const STEP_FACTOR = 3;

/** One averaging window of the shop's labels. */
const CALM_MS = 10_000;
/** Long enough to see the new replicas carry the load, and not longer. */
const STEP_MS = 15_000;
/** The way in goes by twice the stabilization window, after the averaging window has emptied. */
export const LEAST_TOTAL_MS = CALM_MS + STEP_MS + 35_000;

/** Calm, three times as much, and calm again for all the time that is left of `totalMs`, at least the least. */
export function phasesWithin(totalMs: number): readonly Phase[] {
  const stepAtMs = CALM_MS;
  const calmAgainAtMs = stepAtMs + STEP_MS;
  return [
    { name: "calm", factor: 1, fromMs: 0, toMs: stepAtMs },
    { name: `×${STEP_FACTOR}`, factor: STEP_FACTOR, fromMs: stepAtMs, toMs: calmAgainAtMs },
    { name: "calm again", factor: 1, fromMs: calmAgainAtMs, toMs: totalMs },
  ];
}

/** The phase at that moment; undefined when all are over. */
export function phaseAt(phases: readonly Phase[], elapsedMs: number): Phase | undefined {
  return phases.find(({ fromMs, toMs }) => elapsedMs >= fromMs && elapsedMs < toMs);
}
