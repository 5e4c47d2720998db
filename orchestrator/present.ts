import type { ObservedState, Project, ServiceId } from "../core/types.ts";

/** How many replicas of each service run, or are about to. */
export function runningCounts({ replicas }: ObservedState): ReadonlyMap<ServiceId, number> {
  const counts = new Map<ServiceId, number>();
  for (const { service, state } of replicas) {
    if (state === "stopping" || state === "exited" || state === "created") continue;
    counts.set(service, (counts.get(service) ?? 0) + 1);
  }
  return counts;
}

/** Whether replicas, tasks or networks of the project are there; volumes stay, and say nothing. */
export function isAnythingLeft({ name, networks }: Project, observed: ObservedState): boolean {
  return (
    [...observed.replicas, ...(observed.tasks ?? [])].some(({ project }) => project === name) ||
    networks.some((network) => !network.external && observed.networks.includes(network.name))
  );
}
