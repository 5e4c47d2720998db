import type { Service } from "../../core/types.ts";

/** How many there should be of those that are asked for. */
export function wantedReplicas(service: Service, asked: number): number {
  if (service.global === true) return 1;
  return service.singleReplicaReason === undefined ? asked : Math.min(asked, 1);
}
