import type { ObservedReplica, RestartPolicy } from "../core/types.ts";

/** The situations a replica that stays can be in. */
export type Bucket = "outdated" | "unstarted" | "ended" | "finished" | "paused" | "unhealthy" | "settled";

/** The first situation that the replica is in. @param templateHash absent: any definition will do */
export function bucketOf(replica: ObservedReplica, restart: RestartPolicy, templateHash?: string): Bucket {
  if (replica.state === "paused") return "paused";
  if (isOutdated(replica, templateHash)) return "outdated";
  if (replica.state === "created") return "unstarted";
  if (replica.state === "exited") return shouldRestart(replica, restart) ? "ended" : "finished";
  if (replica.state === "unhealthy") return "unhealthy";
  return "settled";
}

/** What compose made carries compose's hash, which cannot be compared with ours: it is adopted as it is. */
function isOutdated(replica: ObservedReplica, templateHash: string | undefined): boolean {
  if (replica.templateHash === undefined || templateHash === undefined) return false;
  return replica.templateHash !== templateHash;
}

function shouldRestart(replica: ObservedReplica, { condition }: RestartPolicy): boolean {
  // A status that nobody saw may have been a failure.
  return condition === "any" || (condition === "on-failure" && replica.exitCode !== 0);
}

/** Dearer to lose: the further back, the later it goes. */
const LOSS: Readonly<Record<ObservedReplica["state"], number>> = {
  stopping: 0,
  created: 1,
  exited: 2,
  restarting: 3,
  unhealthy: 4,
  starting: 5,
  paused: 6,
  running: 7,
};

/** Sorts the replica that costs least to lose first: not serving, then the highest slot, as compose does. */
export function byLeastLoss(a: ObservedReplica, b: ObservedReplica): number {
  return LOSS[a.state] - LOSS[b.state] || b.slot - a.slot;
}
