import type { ObservedReplica, ObservedState, ReplicaState } from "../core/types.ts";

/** What probes make of a replica that runs. */
const SERVES_OR_NOT: ReadonlySet<ReplicaState> = new Set(["starting", "running", "unhealthy"]);

/** Since when each replica is ready, as far as it was seen. An engine may not know. */
export class Readiness {
  readonly #readyAtMs = new Map<string, number>();

  /** The replicas of one pass. */
  apply(replicas: readonly ObservedReplica[], nowMs: number): readonly ObservedReplica[] {
    const ready = new Set<string>();
    const result = replicas.map((replica) => {
      if (replica.state !== "running") return replica;
      const key = runOf(replica);
      ready.add(key);
      const readyAtMs = this.#readyAtMs.get(key) ?? nowMs;
      this.#readyAtMs.set(key, readyAtMs);
      return { ...replica, readyAtMs };
    });
    for (const key of this.#readyAtMs.keys()) if (!ready.has(key)) this.#readyAtMs.delete(key);
    return result;
  }
}

/** Another observation, with what the last pass knew of each replica: an engine alone does not ask probes. */
export function asLastSeen(observed: ObservedState, last: ObservedState | undefined): ObservedState {
  if (last === undefined) return observed;
  const known = new Map(last.replicas.map((replica) => [runOf(replica), replica]));
  const replicas = observed.replicas.map((replica) => {
    const before = known.get(runOf(replica));
    if (before === undefined || replica.state !== "running" || !SERVES_OR_NOT.has(before.state))
      return replica;
    const { state, readyAtMs } = before;
    return { ...replica, state, ...(readyAtMs === undefined ? {} : { readyAtMs }) };
  });
  return { ...observed, replicas };
}

/** One replica between two of its starts. */
export function runOf({ id, startedAtMs }: ObservedReplica): string {
  return `${id} ${startedAtMs ?? ""}`;
}
