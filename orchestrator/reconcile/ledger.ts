import type { ObservedReplica, Project, Resources, ServiceId } from "../../core/types.ts";
import { formatBytes } from "../../core/units.ts";
import type { Rollout } from "../rollout/rollout.ts";
import type { Capacity } from "./input.ts";

const NOTHING: Resources = {};

/** What the host has left to reserve. */
export class Ledger {
  #freeCores: number;
  #freeMemoryBytes: number;

  constructor(
    capacity: Capacity,
    projects: readonly Project[],
    replicas: readonly ObservedReplica[],
    arriving: ReadonlyMap<ServiceId, ReadonlySet<number>>,
    rollouts: ReadonlyMap<ServiceId, Rollout> = new Map(),
  ) {
    this.#freeCores = capacity.cores * capacity.overcommitRatio;
    this.#freeMemoryBytes = capacity.memoryBytes * capacity.overcommitRatio;
    const reserved = new Map(
      projects.flatMap(({ services }) => services.map(({ id, template }) => [id, template.resources])),
    );
    for (const { service, slot, state, templateHash } of replicas) {
      // Counted below, as arriving.
      if (state === "stopping" || arriving.get(service)?.has(slot) === true) continue;
      const from = rollouts.get(service)?.from;
      // One of the template before has what that one reserves.
      const own = from !== undefined && from.hash === templateHash ? from.template.resources : undefined;
      this.take(own ?? reserved.get(service) ?? NOTHING);
    }
    for (const [service, slots] of arriving) {
      for (const _ of slots) this.take(reserved.get(service) ?? NOTHING);
    }
  }

  /** What is missing for one replica more; absent: it fits. @param freed what goes before it comes */
  lacks(resources: Resources, freed: Resources = NOTHING): string | undefined {
    const { reservedCores = 0, reservedMemoryBytes = 0 } = resources;
    const cores = this.#freeCores + (freed.reservedCores ?? 0);
    const memoryBytes = this.#freeMemoryBytes + (freed.reservedMemoryBytes ?? 0);
    if (reservedCores > 0 && reservedCores > cores + 1e-9)
      return `needs ${reservedCores.toFixed(1)} cores, ${Math.max(0, cores).toFixed(1)} free`;
    if (reservedMemoryBytes > 0 && reservedMemoryBytes > memoryBytes)
      return `needs ${formatBytes(reservedMemoryBytes)} of memory, ${formatBytes(Math.max(0, memoryBytes))} free`;
    return undefined;
  }

  take({ reservedCores = 0, reservedMemoryBytes = 0 }: Resources): void {
    this.#freeCores -= reservedCores;
    this.#freeMemoryBytes -= reservedMemoryBytes;
  }

  release({ reservedCores = 0, reservedMemoryBytes = 0 }: Resources): void {
    this.#freeCores += reservedCores;
    this.#freeMemoryBytes += reservedMemoryBytes;
  }
}
