import type { Autoscaler, Observation, Situation } from "../autoscaler.ts";
import { replicasFor } from "../load.ts";

/**
 * Knows what will be asked until a replica that is ordered now would serve, and orders the fewest replicas that keep
 * the service level until then. No policy without a forecast can have less overload.
 */
export function oracle({ load, startDelayMs }: Pick<Situation, "load" | "startDelayMs">): Autoscaler {
  const { startMs, stepMs, demand } = load;
  const ahead = Math.ceil(startDelayMs / stepMs);
  const plan = highestAhead(demand, ahead).map(replicasFor);
  return {
    name: "oracle",
    next: ({ nowMs, desired }: Observation) => plan[Math.round((nowMs - startMs) / stepMs)] ?? desired,
  };
}

/** For each step, the highest of its value and those of so many steps after it. */
function highestAhead(values: Float64Array, ahead: number): Float64Array {
  const highest = new Float64Array(values.length);
  // Steps whose values descend: whatever a later and higher one outdoes is dropped.
  const candidates = new Uint32Array(values.length);
  let [first, end] = [0, 0];
  let entered = 0;
  for (let step = 0; step < values.length; step += 1) {
    for (; entered < Math.min(step + ahead + 1, values.length); entered += 1) {
      const value = values[entered] ?? 0;
      while (end > first && (values[candidates[end - 1] ?? 0] ?? 0) <= value) end -= 1;
      candidates[end] = entered;
      end += 1;
    }
    while ((candidates[first] ?? 0) < step) first += 1;
    highest[step] = values[candidates[first] ?? 0] ?? 0;
  }
  return highest;
}
