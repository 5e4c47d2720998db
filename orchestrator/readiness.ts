import type { ObservedReplica, ObservedState, ReplicaId, ReplicaState } from "../core/types.ts";

/** What probes make of a replica that runs. */
const SERVES_OR_NOT: ReadonlySet<ReplicaState> = new Set(["starting", "running", "unhealthy"]);

interface Run {
  readonly startedAtMs: number | undefined;
  readonly readyAtMs: number;
  /** What was seen of it last, and that with the time. */
  seen: ObservedReplica;
  told: ObservedReplica;
  pass: number;
}

/** Since when each replica is ready, as far as it was seen. An engine may not know. */
export class Readiness {
  readonly #runs = new Map<ReplicaId, Run>();
  #pass = 0;

  /** The replicas of one pass. One that was seen as it was before is the same value as before. */
  apply(replicas: readonly ObservedReplica[], nowMs: number): readonly ObservedReplica[] {
    this.#pass += 1;
    let ready = 0;
    const result = replicas.map((replica) => {
      if (replica.state !== "running") return replica;
      ready += 1;
      const { id, startedAtMs } = replica;
      const known = this.#runs.get(id);
      if (known === undefined || known.startedAtMs !== startedAtMs) {
        const told = { ...replica, readyAtMs: nowMs };
        this.#runs.set(id, { startedAtMs, readyAtMs: nowMs, seen: replica, told, pass: this.#pass });
        return told;
      }
      known.pass = this.#pass;
      if (known.seen !== replica) {
        known.seen = replica;
        known.told = { ...replica, readyAtMs: known.readyAtMs };
      }
      return known.told;
    });
    if (ready < this.#runs.size) this.#forgetOthers();
    return result;
  }

  #forgetOthers(): void {
    for (const [id, { pass }] of this.#runs) if (pass !== this.#pass) this.#runs.delete(id);
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
