import type { ObservedReplica, RestartPolicy } from "../core/types.ts";

/** The situations a replica that stays can be in. */
export type Bucket = "unstarted" | "ended" | "finished" | "paused" | "unhealthy" | "dead" | "settled";

/** The first situation that the replica is in. `dead`: it runs, and its liveness check has given it up. */
export function bucketOf(replica: ObservedReplica, restart: RestartPolicy): Bucket {
  switch (replica.state) {
    case "paused":
      return "paused";
    case "created":
      return "unstarted";
    case "exited":
      return shouldRestart(replica, restart) ? "ended" : "finished";
    case "unhealthy":
      return replica.live === false ? "dead" : "unhealthy";
    default:
      return "settled";
  }
}

function shouldRestart(replica: ObservedReplica, { condition }: RestartPolicy): boolean {
  // A status that nobody saw may have been a failure.
  return condition === "any" || (condition === "on-failure" && replica.exitCode !== 0);
}
