/** Of what a replica takes when it has been there for a while. */
export const FULL_WEIGHT = 100;
/** It answers from its first moment: caches fill and code is compiled only by requests. */
const FIRST_WEIGHT = 20;
/** From the first weight to the full one. */
export const RAMP_MS = 5_000;
/** The weight changes this often while it grows. */
export const RAMP_STEP_MS = 500;

/** The weight of a replica that has been taking requests for so long; it grows in steps. */
export function rampedWeight(ageMs: number): number {
  if (ageMs >= RAMP_MS) return FULL_WEIGHT;
  const steps = Math.floor(Math.max(0, ageMs) / RAMP_STEP_MS);
  return Math.round(FIRST_WEIGHT + ((FULL_WEIGHT - FIRST_WEIGHT) * steps * RAMP_STEP_MS) / RAMP_MS);
}
