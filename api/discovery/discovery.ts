import { FlyballError } from "../../core/errors.ts";
import type { ObservedReplica, ObservedState, ReplicaId, Service, ServiceId } from "../../core/types.ts";
import { SECOND_MS } from "../../core/units.ts";
import type { EndpointDirectory, EndpointSet, TargetGroup } from "../../core/wire-endpoints.ts";
import type { DiscoveryControl } from "../discovery-control.ts";
import { RequestRefused } from "../problem.ts";
import { type EndpointSets, nextEndpointSets } from "./endpoint-sets.ts";
import { targetGroups } from "./target-groups.ts";

const MOST_CLIENTS = 500;
/** A replica that is still ready so long after it was to stop was not stopped after all. */
const FORGOTTEN_AFTER_MS = 30 * SECOND_MS;

/** Knows where services answer, by what was seen of the engine, and tells those who wait for another answer. */
export class Discovery implements DiscoveryControl {
  readonly #services: () => readonly Service[];
  readonly #listeners = new Set<() => void>();
  /** Since when each of them is about to stop. */
  readonly #leavingSinceMs = new Map<ReplicaId, number>();
  #sets: EndpointSets | undefined;
  #observed: ObservedState | undefined;
  #replicas: ReadonlyMap<ServiceId, readonly ObservedReplica[]> = new Map();
  #clients = 0;

  /** @param services those that should run now */
  constructor(services: () => readonly Service[]) {
    this.#services = services;
  }

  /** After each look at the engine. */
  observed(observed: ObservedState): void {
    this.#observed = observed;
    this.#replicas = Map.groupBy(observed.replicas, ({ service }) => service);
    const ready = new Set(observed.replicas.filter(({ state }) => state === "running").map(({ id }) => id));
    for (const [id, sinceMs] of this.#leavingSinceMs) {
      const isForgotten = observed.atMs - sinceMs >= FORGOTTEN_AFTER_MS;
      if (isForgotten || (observed.complete && !ready.has(id))) this.#leavingSinceMs.delete(id);
    }
    this.#look(observed);
  }

  /** The replica is about to be told to stop: nothing new is to come to it from now on. */
  leaves(replica: ReplicaId): void {
    // Before the first look nobody was told of it.
    if (this.#observed === undefined) return;
    this.#leavingSinceMs.set(replica, this.#observed.atMs);
    this.#look(this.#observed);
  }

  #look(observed: ObservedState): void {
    const before = this.#sets;
    const leaving = new Set(this.#leavingSinceMs.keys());
    this.#sets = nextEndpointSets(before, this.#services(), observed, leaving);
    if (this.#sets === before) return;
    for (const listener of [...this.#listeners]) listener();
  }

  endpoints(id: string): EndpointSet {
    const set = this.#sets?.sets.get(id);
    const isThere = this.#services().some((service) => service.id === id);
    if (!isThere) throw new FlyballError("NOT_FOUND", `there is no service ${id}`);
    if (set === undefined) throw notSeen(`the replicas of ${id} were`);
    return set;
  }

  directory(): EndpointDirectory {
    if (this.#sets === undefined) throw notSeen("the engine was");
    const { version, sets, unsettled } = this.#sets;
    if (unsettled.length > 0) throw notSeen(`the replicas of ${unsettled.join(", ")} were`);
    return { version, services: [...sets.values()] };
  }

  targetGroups(ports: "metrics" | "all"): readonly TargetGroup[] {
    if (this.#sets === undefined) throw notSeen("the engine was");
    return targetGroups(this.#services(), (id) => this.#replicas.get(id) ?? [], ports);
  }

  onChange(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  seat(): Disposable {
    if (this.#clients >= MOST_CLIENTS) {
      const message = `${MOST_CLIENTS} clients wait for changes, and no more may`;
      throw new RequestRefused(503, "TOO_MANY_CLIENTS", message, { headers: { "Retry-After": "5" } });
    }
    this.#clients += 1;
    let isTaken = true;
    return {
      [Symbol.dispose]: () => {
        if (isTaken) this.#clients -= 1;
        isTaken = false;
      },
    };
  }
}

function notSeen(what: string): FlyballError {
  return new FlyballError("NOT_READY", `${what} not seen yet: ask again in a moment`);
}
