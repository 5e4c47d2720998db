import type { ObservedReplica, Project, ReplicaId, Service } from "../../core/types.ts";
import { type Bucket, bucketOf } from "../buckets.ts";
import { cloneSource, planCreation } from "./create.ts";
import { slotKey } from "./keys.ts";
import type { Planning } from "./planning.ts";

/** Looks after the replicas that stay: starts, restarts and replaces them. @param replicas by slot */
export function planUpkeep(
  planning: Planning,
  project: Project,
  service: Service,
  replicas: readonly ObservedReplica[],
): void {
  const { seen, draft } = planning;
  let replacing = seen.arriving(service.id).size + seen.leaving(service.id).size > 0;
  // A copy of what compose made carries compose's definition, and changes when compose changes it.
  const templateHash = cloneSource(seen.of(service)) === undefined ? service.templateHash : undefined;
  for (const replica of replicas) {
    const bucket = bucketOf(replica, service.template.restart, templateHash);
    const othersReady = replicas.every((other) => other === replica || other.state === "running");
    // One that does not serve is no loss, and what it waits for may never come from the older definition.
    const mayGo = othersReady || replica.state !== "running";
    if (bucket === "outdated" && (replacing || !mayGo)) {
      draft.hold(
        service.id,
        "has an older definition; one is replaced at a time, while all others are ready",
        replica.slot,
      );
      continue;
    }
    replacing ||= bucket === "outdated";
    keepOne(planning, project, service, replica, bucket);
  }
}

function keepOne(
  planning: Planning,
  project: Project,
  service: Service,
  replica: ObservedReplica,
  bucket: Bucket,
): void {
  const { draft } = planning;
  const { id, slot } = replica;
  switch (bucket) {
    case "settled":
      return;
    case "outdated": {
      const cause = "its definition has changed";
      const after = draft.remove(replica, cause);
      if (after !== undefined) planCreation(planning, project, service, { slot, cause, after });
      return;
    }
    case "unstarted":
      startAgain(planning, service, slot, id, "it was created and never started");
      return;
    case "ended": {
      const most = service.template.restart.maxAttempts;
      if (most !== undefined && draft.failures(service.id, slot) >= most) {
        draft.hold(service.id, `ended ${most} times and is not restarted again`, slot);
        return;
      }
      const status = replica.exitCode === undefined ? "an unknown status" : `status ${replica.exitCode}`;
      const cause = replica.oomKilled === true ? "it ran out of memory" : `it ended with ${status}`;
      startAgain(planning, service, slot, id, cause);
      return;
    }
    case "finished":
      draft.hold(service.id, `ended, and restart is ${service.template.restart.condition}`, slot);
      return;
    case "paused":
      draft.hold(service.id, "was paused by somebody", slot);
      return;
    case "unhealthy":
      draft.hold(service.id, "is unhealthy", slot);
      return;
  }
}

function startAgain(
  { draft }: Planning,
  service: Service,
  slot: number,
  replica: ReplicaId,
  cause: string,
): void {
  if (draft.holdForRetry(service.id, slotKey(service.id, slot), slot)) return;
  draft.push({ kind: "start-replica", service: service.id, slot, replica, after: [], cause });
}
