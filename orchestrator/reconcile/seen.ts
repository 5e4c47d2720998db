import type { ObservedReplica, ObservedState, ServiceId } from "../../core/types.ts";
import type { InFlight } from "./input.ts";
import { slotOfKey } from "./keys.ts";

type Slots = ReadonlySet<number>;
type ByService = ReadonlyMap<ServiceId, readonly ObservedReplica[]>;

const NO_REPLICAS: ByService = new Map();
const NO_SLOTS: Slots = new Set();

/** What was observed and what is under way, arranged once for a whole plan, so that no service searches all of it. */
export class Seen {
  readonly complete: boolean;
  readonly images: ReadonlySet<string>;
  readonly networks: ReadonlySet<string>;
  readonly volumes: ReadonlySet<string>;
  readonly #replicas = new Map<string, Map<ServiceId, ObservedReplica[]>>();
  readonly #arriving: ReadonlyMap<ServiceId, Slots>;
  readonly #leaving: ReadonlyMap<ServiceId, Slots>;
  readonly #busyResources: ReadonlySet<string>;
  readonly #succeededJobs: ReadonlySet<ServiceId>;
  readonly #projectsWithTasks: ReadonlySet<string>;

  /** @param succeededJobs those of which nobody has to wait for a run any more */
  constructor(
    observed: ObservedState,
    inFlight: InFlight,
    succeededJobs: ReadonlySet<ServiceId> = new Set(),
  ) {
    this.#succeededJobs = succeededJobs;
    this.#projectsWithTasks = new Set(observed.tasks?.map(({ project }) => project));
    this.complete = observed.complete;
    this.images = new Set(observed.images);
    this.networks = new Set(observed.networks);
    this.volumes = new Set(observed.volumes);
    this.#arriving = slotsByService(inFlight.arriving);
    this.#leaving = slotsByService(inFlight.leaving);
    this.#busyResources = inFlight.resources;
    for (const replica of observed.replicas) {
      let services = this.#replicas.get(replica.project);
      if (services === undefined) {
        services = new Map();
        this.#replicas.set(replica.project, services);
      }
      const known = services.get(replica.service);
      if (known === undefined) services.set(replica.service, [replica]);
      else known.push(replica);
    }
    // In a fixed order, whatever order the engine listed them in.
    for (const services of this.#replicas.values()) {
      for (const replicas of services.values()) if (replicas.length > 1) replicas.sort(bySlot);
    }
  }

  /** The project's replicas by service, those of services that it no longer has among them. */
  inProject(project: string): ByService {
    return this.#replicas.get(project) ?? NO_REPLICAS;
  }

  /** By slot. */
  of(service: { readonly project: string; readonly id: ServiceId }): readonly ObservedReplica[] {
    return this.#replicas.get(service.project)?.get(service.id) ?? [];
  }

  get allArriving(): ReadonlyMap<ServiceId, Slots> {
    return this.#arriving;
  }

  arriving(service: ServiceId): Slots {
    return this.#arriving.get(service) ?? NO_SLOTS;
  }

  leaving(service: ServiceId): Slots {
    return this.#leaving.get(service) ?? NO_SLOTS;
  }

  isBusy(service: ServiceId, slot: number): boolean {
    return this.arriving(service).has(slot) || this.leaving(service).has(slot);
  }

  hasSucceeded(job: ServiceId): boolean {
    return this.#succeededJobs.has(job);
  }

  /** Containers of its jobs are there. */
  hasTasks(project: string): boolean {
    return this.#projectsWithTasks.has(project);
  }

  isBusyResource(key: string): boolean {
    return this.#busyResources.has(key);
  }
}

function bySlot(a: ObservedReplica, b: ObservedReplica): number {
  return a.slot - b.slot || (a.id < b.id ? -1 : 1);
}

function slotsByService(keys: ReadonlySet<string>): ReadonlyMap<ServiceId, Slots> {
  const slots = new Map<ServiceId, Set<number>>();
  for (const key of keys) {
    const { service, slot } = slotOfKey(key);
    const known = slots.get(service);
    if (known === undefined) slots.set(service, new Set([slot]));
    else known.add(slot);
  }
  return slots;
}
