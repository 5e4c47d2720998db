import type { Project } from "../../core/types.ts";
import type { Draft } from "./draft.ts";
import { removalKey, resourceKey } from "./keys.ts";
import type { Seen } from "./seen.ts";
import { sortedBy } from "./sorted.ts";

/** Replicas of services that the project no longer names. */
export function planOrphans(project: Project, seen: Seen, draft: Draft): void {
  const replicas = seen.inProject(project.name);
  const known = new Set(project.services.map(({ id }) => id));
  for (const service of [...replicas.keys()].filter((id) => !known.has(id)).sort()) {
    for (const replica of replicas.get(service) ?? []) {
      if (seen.isBusy(service, replica.slot)) continue;
      if (replica.origin === "flyball") draft.remove(replica, "its service is no longer in the project");
      else
        draft.hold(
          service,
          "foreign",
          "is not in the project's files; compose made it, so it is left alone",
          replica.slot,
        );
    }
  }
}

/** Every replica, then the networks that are the project's own. Volumes stay. */
export function planRemoval(project: Project, seen: Seen, draft: Draft): void {
  const cause = "the project is being removed";
  const removals: number[] = [];
  // Those are removed by who has made them.
  let waiting = seen.hasTasks(project.name);
  const replicas = seen.inProject(project.name);
  for (const service of [...replicas.keys()].sort()) {
    for (const replica of replicas.get(service) ?? []) {
      const removed = seen.isBusy(service, replica.slot) ? undefined : draft.remove(replica, cause);
      if (removed === undefined) waiting = true;
      else removals.push(...removed);
    }
  }
  if (waiting) return;
  for (const { external, name } of sortedBy(project.networks, (network) => network.name)) {
    const key = resourceKey("network", name);
    if (external || !seen.networks.has(name) || seen.isBusyResource(key)) continue;
    if (draft.holdForRetry(project.name, removalKey(key))) continue;
    draft.push({ kind: "remove-network", project: project.name, network: name, after: removals, cause });
  }
}
