import type {
  Action,
  Hold,
  ObservedReplica,
  ObservedState,
  Plan,
  Project,
  ReplicaId,
  Service,
  ServiceId,
} from "../core/types.ts";
import { formatDuration } from "../core/units.ts";
import { type Attempts, retryAtMs } from "./backoff.ts";
import { type Bucket, bucketOf, byLeastLoss } from "./buckets.ts";

/** A project as it should be: services with their counts, or, when it is being removed, nothing at all. */
export interface DesiredProject {
  readonly project: Project;
  readonly replicas: ReadonlyMap<ServiceId, number>;
  readonly removing: boolean;
}

/** Keys of what running actions work on: a slot (`slotKey`) or a resource (`resourceKey`). */
export interface InFlight {
  /** Slots that will hold a running replica. */
  readonly arriving: ReadonlySet<string>;
  /** Slots whose replica is on its way out, or being replaced. */
  readonly leaving: ReadonlySet<string>;
  readonly resources: ReadonlySet<string>;
}

export interface ReconcileInput {
  readonly nowMs: number;
  readonly desired: readonly DesiredProject[];
  readonly observed: ObservedState;
  readonly inFlight: InFlight;
  /** Failures in a row, by slot or resource key. */
  readonly attempts: ReadonlyMap<string, Attempts>;
}

export function slotKey(service: ServiceId, slot: number): string {
  return `${service}#${slot}`;
}

export function resourceKey(kind: "image" | "network" | "volume", name: string): string {
  return `${kind}:${name}`;
}

/** Attempts to take away what has that key fail apart from those to bring it. */
export function removalKey(key: string): string {
  return `removal of ${key}`;
}

/**
 * What must be done to get from what is to what should be, and what is left alone and why. The same input gives the
 * same plan; a plan that was carried out leaves nothing to do; an incomplete observation plans nothing, because what
 * it does not show may well exist.
 */
export function reconcile(input: ReconcileInput): Plan {
  const planner = new Planner(input);
  for (const desired of sortedBy(input.desired, ({ project }) => project.name)) planner.project(desired);
  return planner.plan;
}

class Planner {
  readonly #input: ReconcileInput;
  /** Of the project that is being planned, by service. */
  #replicas: ReadonlyMap<ServiceId, readonly ObservedReplica[]> = new Map();
  readonly #actions: Action[] = [];
  readonly #holds: Hold[] = [];
  /** The planned action that makes a resource, by its key. */
  readonly #made = new Map<string, number>();

  constructor(input: ReconcileInput) {
    this.#input = input;
  }

  get plan(): Plan {
    return { actions: this.#actions, holds: this.#holds };
  }

  project(desired: DesiredProject): void {
    const { project, removing } = desired;
    this.#replicas = Map.groupBy(this.#replicasOf(project), (replica) => replica.service);
    if (!this.#input.observed.complete) {
      for (const { id } of project.services)
        this.#hold(id, "the engine's state could not be read completely");
      return;
    }
    if (removing) {
      this.#removeProject(project);
      return;
    }
    for (const service of sortedBy(project.services, ({ name }) => name)) {
      this.#service(project, service, desired.replicas.get(service.id) ?? service.initialReplicas);
    }
    this.#orphans(project);
  }

  #service(project: Project, service: Service, asked: number): void {
    const { arriving, leaving } = this.#input.inFlight;
    const wanted = service.singleReplicaReason === undefined ? asked : Math.min(asked, 1);
    if (wanted < asked) {
      this.#hold(service.id, `cannot have ${asked} replicas: ${service.singleReplicaReason}`);
    }

    const observed = this.#replicas.get(service.id) ?? [];
    const free = observed.filter((replica) => !this.#isBusy(service.id, replica.slot));
    const seats = new Set(observed.map((replica) => replica.slot));
    let coming = 0;
    for (const slot of slotsOf(service.id, arriving)) {
      seats.add(slot);
      coming += 1;
    }
    for (const slot of slotsOf(service.id, leaving)) seats.add(slot);

    const alive = free.filter((replica) => replica.state !== "stopping");
    const missing = wanted - alive.length - coming;
    if (missing < 0) {
      const victims = alive.toSorted(byLeastLoss).slice(0, -missing);
      for (const victim of victims)
        this.#remove(victim, `${service.name} should have ${wanted}, not ${wanted - missing}`);
      this.#keep(project, service, without(alive, victims));
      return;
    }
    this.#keep(project, service, alive);
    if (missing > 0) this.#addReplicas(project, service, missing, seats, wanted);
  }

  /** Looks after the replicas that stay: starts, restarts and replaces them. */
  #keep(project: Project, service: Service, replicas: readonly ObservedReplica[]): void {
    const { arriving, leaving } = this.#input.inFlight;
    let replacing = slotsOf(service.id, arriving).length + slotsOf(service.id, leaving).length > 0;
    // A copy of what compose made carries compose's definition, and changes when compose changes it.
    const templateHash = this.#cloneSource(service) === undefined ? service.templateHash : undefined;
    for (const replica of sortedBy(replicas, ({ slot }) => slot)) {
      const bucket = bucketOf(replica, service.template.restart, templateHash);
      const othersReady = replicas.every((other) => other === replica || other.state === "running");
      // One that does not serve is no loss, and what it waits for may never come from the older definition.
      const mayGo = othersReady || replica.state !== "running";
      if (bucket === "outdated" && (replacing || !mayGo)) {
        this.#hold(
          service.id,
          "has an older definition; one is replaced at a time, while all others are ready",
          replica.slot,
        );
        continue;
      }
      replacing ||= bucket === "outdated";
      this.#keepOne(project, service, replica, bucket);
    }
  }

  #keepOne(project: Project, service: Service, replica: ObservedReplica, bucket: Bucket): void {
    const { id, slot } = replica;
    switch (bucket) {
      case "settled":
        return;
      case "outdated": {
        const stopped = this.#remove(replica, "its definition has changed");
        if (stopped === undefined) return;
        this.#create(project, service, slot, "its definition has changed", undefined, stopped);
        return;
      }
      case "unstarted":
        this.#startAgain(service, slot, id, "it was created and never started");
        return;
      case "ended": {
        const attempts = this.#input.attempts.get(slotKey(service.id, slot));
        const most = service.template.restart.maxAttempts;
        if (most !== undefined && (attempts?.failures ?? 0) >= most) {
          this.#hold(service.id, `ended ${most} times and is not restarted again`, slot);
          return;
        }
        const status = replica.exitCode === undefined ? "an unknown status" : `status ${replica.exitCode}`;
        this.#startAgain(
          service,
          slot,
          id,
          replica.oomKilled === true ? "it ran out of memory" : `it ended with ${status}`,
        );
        return;
      }
      case "finished":
        this.#hold(service.id, `ended, and restart is ${service.template.restart.condition}`, slot);
        return;
      case "paused":
        this.#hold(service.id, "was paused by somebody", slot);
        return;
      case "unhealthy":
        this.#hold(service.id, "is unhealthy", slot);
        return;
    }
  }

  #startAgain(service: Service, slot: number, replica: ReplicaId, cause: string): void {
    if (this.#holdForRetry(service.id, slotKey(service.id, slot), slot)) return;
    this.#push({ kind: "start-replica", service: service.id, slot, replica, after: [], cause });
  }

  #addReplicas(
    project: Project,
    service: Service,
    count: number,
    seats: ReadonlySet<number>,
    wanted: number,
  ): void {
    const waiting = this.#dependencyNotMet(project, service);
    if (waiting !== undefined) {
      this.#hold(service.id, waiting);
      return;
    }
    const cloneOf = this.#cloneSource(service);
    const cause = `${service.name} should have ${wanted}, not ${wanted - count}`;
    let slot = 0;
    for (let added = 0; added < count; added += 1) {
      do slot += 1;
      while (seats.has(slot));
      if (this.#holdForRetry(service.id, slotKey(service.id, slot), slot)) continue;
      if (!this.#create(project, service, slot, cause, cloneOf)) return;
    }
  }

  /** What compose made is copied, so that compose goes on to own it; the oldest, which is likeliest its file's. */
  #cloneSource(service: Service): ObservedReplica | undefined {
    const made = (this.#replicas.get(service.id) ?? []).filter((replica) => replica.origin === "compose");
    // One that compose is taking away may have the definition that compose has just replaced.
    return sortedBy(made, ({ slot, state }) => (state === "stopping" ? Number.POSITIVE_INFINITY : slot))[0];
  }

  #create(
    project: Project,
    service: Service,
    slot: number,
    cause: string,
    cloneOf: ObservedReplica | undefined,
    after: readonly number[] = [],
  ): boolean {
    const needs = cloneOf === undefined ? this.#resources(project, service) : [];
    if (needs === undefined) return false;
    const created = this.#push({
      kind: "create-replica",
      service: service.id,
      slot,
      ...(cloneOf === undefined ? {} : { cloneOf: cloneOf.id }),
      after: [...after, ...needs],
      cause: cloneOf === undefined ? cause : `${cause} (a copy of ${cloneOf.name})`,
    });
    this.#push({ kind: "start-replica", service: service.id, slot, after: [created], cause });
    return true;
  }

  /** The planned actions that a new replica has to wait for; undefined when it cannot be made now. */
  #resources(project: Project, service: Service): readonly number[] | undefined {
    const { observed } = this.#input;
    const { template } = service;
    const needs: number[] = [];
    const need = (
      kind: "image" | "network" | "volume",
      name: string,
      make: () => number | string,
    ): boolean => {
      const key = resourceKey(kind, name);
      const planned = this.#made.get(key);
      if (planned !== undefined) {
        needs.push(planned);
        return true;
      }
      if (this.#input.inFlight.resources.has(key)) {
        this.#hold(service.id, `waits for ${kind} ${name}`);
        return false;
      }
      if (this.#holdForRetry(service.id, key)) return false;
      const made = make();
      if (typeof made === "string") {
        this.#hold(service.id, made);
        return false;
      }
      this.#made.set(key, made);
      needs.push(made);
      return true;
    };
    const cause = `${service.name} needs it`;

    if (template.image !== undefined && !observed.images.includes(template.image)) {
      const { image } = template;
      const never = template.container.pullPolicy === "never";
      const pull = () =>
        never
          ? `image ${image} is not there, and pull_policy is never`
          : this.#push({ kind: "pull-image", image, after: [], cause });
      if (!need("image", image, pull)) return undefined;
    }
    for (const { network } of template.networks) {
      if (observed.networks.includes(network)) continue;
      const external = project.networks.find(({ name }) => name === network)?.external ?? true;
      const make = () =>
        external
          ? `network ${network} is external and does not exist`
          : this.#push({ kind: "create-network", project: project.name, network, after: [], cause });
      if (!need("network", network, make)) return undefined;
    }
    for (const mount of template.mounts) {
      const volume = mount.source;
      if (mount.type !== "volume" || volume === undefined || observed.volumes.includes(volume)) continue;
      const external = project.volumes.find(({ name }) => name === volume)?.external ?? true;
      const make = () =>
        external
          ? `volume ${volume} is external and does not exist`
          : this.#push({ kind: "create-volume", project: project.name, volume, after: [], cause });
      if (!need("volume", volume, make)) return undefined;
    }
    return needs;
  }

  #dependencyNotMet(project: Project, service: Service): string | undefined {
    for (const { service: other, condition, required } of service.dependsOn) {
      const known = project.services.find(({ id }) => id === other);
      if (known === undefined) {
        if (required) return `waits for ${other}, which the project does not have`;
        continue;
      }
      const replicas = this.#replicas.get(other) ?? [];
      const met = {
        started: replicas.some(({ state }) => ["starting", "running", "unhealthy"].includes(state)),
        healthy: replicas.some(({ state }) => state === "running"),
        completed: replicas.some(({ state, exitCode }) => state === "exited" && exitCode === 0),
      };
      // A short-lived service that has come and gone was started all the same.
      const cameAndWent = condition === "started" && met.completed;
      if (!met[condition] && !cameAndWent) return `waits for ${known.name} to be ${condition}`;
    }
    return undefined;
  }

  /** Replicas of services that the project no longer names. */
  #orphans(project: Project): void {
    const known = new Set(project.services.map(({ id }) => id));
    for (const replica of this.#replicasOf(project)) {
      if (known.has(replica.service) || this.#isBusy(replica.service, replica.slot)) continue;
      if (replica.origin === "flyball") this.#remove(replica, "its service is no longer in the project");
      else
        this.#hold(
          replica.service,
          "is not in the project's files; compose made it, so it is left alone",
          replica.slot,
        );
    }
  }

  #removeProject(project: Project): void {
    const removals: number[] = [];
    let waiting = false;
    for (const replica of this.#replicasOf(project)) {
      const removed = this.#isBusy(replica.service, replica.slot)
        ? undefined
        : this.#remove(replica, "the project is being removed");
      if (removed === undefined) waiting = true;
      else removals.push(...removed);
    }
    if (waiting) return;
    for (const network of sortedBy(project.networks, ({ name }) => name)) {
      const { external, name } = network;
      const exists = this.#input.observed.networks.includes(name);
      const key = resourceKey("network", name);
      if (external || !exists || this.#input.inFlight.resources.has(key)) continue;
      if (this.#holdForRetry(project.name, removalKey(key))) continue;
      const cause = "the project is being removed";
      this.#push({ kind: "remove-network", project: project.name, network: name, after: removals, cause });
    }
  }

  /** In a fixed order, whatever order the engine listed them in. */
  #replicasOf(project: Project): readonly ObservedReplica[] {
    const all = this.#input.observed.replicas.filter((replica) => replica.project === project.name);
    return all.toSorted((a, b) => (a.service < b.service ? -1 : a.service > b.service ? 1 : a.slot - b.slot));
  }

  /** The planned actions after which it is gone; undefined when that has failed lately and has to wait. */
  #remove(replica: ObservedReplica, cause: string): readonly number[] | undefined {
    const { service, slot, id, state } = replica;
    if (this.#holdForRetry(service, removalKey(slotKey(service, slot)), slot)) return undefined;
    const stopped: number[] = [];
    if (state !== "exited" && state !== "created") {
      stopped.push(this.#push({ kind: "stop-replica", service, slot, replica: id, after: [], cause }));
    }
    return [this.#push({ kind: "remove-replica", service, slot, replica: id, after: stopped, cause })];
  }

  /** True when the last attempt failed so lately that the next one has to wait. */
  #holdForRetry(service: ServiceId, key: string, slot?: number): boolean {
    const attempts = this.#input.attempts.get(key);
    if (attempts === undefined) return false;
    const waitMs = retryAtMs(attempts) - this.#input.nowMs;
    if (waitMs <= 0) return false;
    const times = attempts.failures === 1 ? "once" : `${attempts.failures} times in a row`;
    this.#hold(
      service,
      `failed ${times} (${attempts.reason}); tried again in ${formatDuration(waitMs)}`,
      slot,
    );
    return true;
  }

  #isBusy(service: ServiceId, slot: number): boolean {
    const key = slotKey(service, slot);
    return this.#input.inFlight.arriving.has(key) || this.#input.inFlight.leaving.has(key);
  }

  #hold(service: ServiceId, reason: string, slot?: number): void {
    this.#holds.push({ service, ...(slot === undefined ? {} : { slot }), reason });
  }

  #push(action: DistributiveOmit<Action, "id">): number {
    const id = this.#actions.length;
    this.#actions.push({ ...action, id });
    return id;
  }
}

type DistributiveOmit<T, Key extends PropertyKey> = T extends unknown ? Omit<T, Key> : never;

function slotsOf(service: ServiceId, keys: ReadonlySet<string>): number[] {
  const prefix = `${service}#`;
  return [...keys].filter((key) => key.startsWith(prefix)).map((key) => Number(key.slice(prefix.length)));
}

function without<T>(all: readonly T[], some: readonly T[]): T[] {
  return all.filter((one) => !some.includes(one));
}

function sortedBy<T>(values: readonly T[], key: (value: T) => string | number): T[] {
  return values.toSorted((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}
