import type { Autoscaler, Situation } from "../autoscaler.ts";
import { peakOf, replicasFor } from "../load.ts";

/** As many replicas as the 99.9th percentile of the demand takes, all the time: what a careful person would order. */
export function staticCount({ load }: Pick<Situation, "load">): Autoscaler {
  const count = replicasFor(peakOf(load));
  return { name: "static", next: () => count };
}
