/** One stretch of load at one rate. Times are milliseconds since the load began. */
export interface Phase {
  readonly name: string;
  /** Requests per second, as a multiple of the calm rate. */
  readonly factor: number;
  readonly fromMs: number;
  readonly toMs: number;
}

export const STEP_FACTOR = 3;

/** Two averaging windows' worth of calm would show nothing that one does not. */
const LONGEST_CALM_MS = 10_000;
/** Long enough to see the new replicas carry the load, and not longer. */
const LONGEST_STEP_MS = 20_000;
const CALM_SHARE = 0.2;
const STEP_SHARE = 0.35;

/** Calm, three times as much, and calm again for all the time that is left. */
export function phasesWithin(totalMs: number): readonly Phase[] {
  const stepAtMs = Math.min(LONGEST_CALM_MS, totalMs * CALM_SHARE);
  const calmAgainAtMs = stepAtMs + Math.min(LONGEST_STEP_MS, totalMs * STEP_SHARE);
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
