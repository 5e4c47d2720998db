import { isFlyballError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { Store } from "../../core/store.ts";
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
} from "../../core/types.ts";
import { MINUTE_MS } from "../../core/units.ts";
import type { Engine } from "../engine.ts";
import type { DesiredProject, InFlight, ReconcileInput } from "../reconcile/input.ts";
import { slotOfKey } from "../reconcile/keys.ts";
import { attribute } from "./attribute.ts";
import { Audit, type AuditLine } from "./audit.ts";
import { awaitedEnds, type UntoldEnds, untoldEnds } from "./ends.ts";
import { LastSeen } from "./last-seen.ts";
import { type Change, type Down, type LookResult, look, type Memory, type Seat } from "./look.ts";
import { OwnWork } from "./own-work.ts";
import { Records } from "./records.ts";
import { settle } from "./settle.ts";
import { type EngineSign, type Trace, traceAfter } from "./signs.ts";

const RESTLESS = "somebody is changing it past Flyball; looked at again when that is over";

export interface OwnershipOptions {
  readonly store: Store;
  readonly log: Log;
  /** Where the replicas are; of those that were seen on another one nothing is told. */
  readonly engine: Pick<Engine, "kind" | "description">;
  /** Somebody else has changed the count of the service, which was settled. */
  readonly onExternalChange?: (service: ServiceId) => void;
}

export interface OwnershipLook {
  readonly nowMs: number;
  readonly observed: ObservedState;
  readonly desired: readonly DesiredProject[];
  readonly inFlight: InFlight;
}

/** Who owns the count of each service: hears what others do to replicas, settles it, and keeps an account of it. */
export class Ownership {
  readonly audit: Audit;
  readonly #options: OwnershipOptions;
  readonly #setCount: (service: ServiceId, count: number) => void;
  readonly #records: Records;
  readonly #lastSeen: LastSeen;
  readonly #own: OwnWork;
  readonly #traces = new Map<ReplicaId, Trace>();
  /** Somebody stopped them, and they are to run all the same; until their start is heard. */
  readonly #toStartAgain = new Set<ReplicaId>();
  #listeningSinceMs: number | undefined;
  #untold: UntoldEnds = new Map();
  /** Those of them whose word is still to come. */
  #awaited: ReadonlySet<ReplicaId> = new Set();
  #memory: Memory;
  #restless: ReadonlySet<ServiceId> = new Set();

  /** @param setCount makes a count the one that is asked for, in the store too */
  constructor(options: OwnershipOptions, setCount: (service: ServiceId, count: number) => void) {
    this.#options = options;
    this.#setCount = setCount;
    this.audit = new Audit(options.store);
    this.#records = new Records(options.store);
    this.#lastSeen = new LastSeen(options.store, options.engine.description);
    this.#own = new OwnWork(this.#lastSeen.own);
    // What a daemon that was killed was just starting as a process is gone, and nobody has wished for that.
    this.#memory = options.engine.kind === "docker" ? this.#lastSeen.memory : new Map();
  }

  hear(sign: EngineSign, nowMs: number): void {
    if ("replica" in sign) {
      if (sign.kind === "started") this.#toStartAgain.delete(sign.replica);
      this.#traces.set(sign.replica, traceAfter(this.#traces.get(sign.replica), sign, nowMs));
    } else if (sign.kind === "listening") this.#listeningSinceMs = nowMs;
    else this.#heardLast();
  }

  /** It was told to end since it was started last, and not by us; or that may be, as far as has been heard by now. */
  mayBeEndedByOthers(replica: ReplicaId): boolean {
    if (this.#own.replicas.has(replica)) return false;
    const isTold = this.#traces.get(replica)?.killedAtMs !== undefined;
    return isTold || this.#toStartAgain.has(replica) || this.#awaited.has(replica);
  }

  /** Our own actions, before they begin. */
  begun(plan: Plan): void {
    this.#own.add(plan);
    this.#keepOwn();
  }

  ended(action: Action, outcome: "done" | "failed" | "skipped"): void {
    this.#own.ended(action, outcome);
  }

  /** Settles what others have done. To be called with every observation, before anything is planned from it. */
  look({ nowMs, observed, desired, inFlight }: OwnershipLook): void {
    if (!observed.complete) return;
    const busy = busyServices(inFlight);
    const projects = desired
      .filter(({ removing }) => !removing)
      .map(({ project, replicas }) => ({
        project,
        // A job has no count that anybody could change.
        subjects: project.services
          .filter(({ job }) => job === undefined)
          .map((service) => ({
            service,
            desired: this.#countOf(service, replicas),
            isBusy: busy.has(service.id),
            isAway: this.#isAway(service.id),
          })),
      }));
    const parked = new Set(this.#records.parked.keys());
    const own = this.#own.replicas;
    const traces = this.#traces;
    this.#untold = untoldEnds(this.#untold, observed, (id) => own.has(id) || parked.has(id), {
      traces,
      nowMs,
    });
    this.#awaited = awaitedEnds(this.#untold, this.#listeningSinceMs, nowMs);
    const awaited = this.#awaited;
    const result = look(this.#memory, { nowMs, observed, projects, traces, awaited, own, parked });
    const settled = this.#settled(result, nowMs);
    if (settled === undefined) return;
    this.#memory = settled;
    this.#restless = result.restless;
    this.#forgetGone(observed, result.restless, nowMs);
    this.#keepOwn();
  }

  /** What is desired and what is there as others have left it, for the planning. */
  planned(
    desired: readonly DesiredProject[],
    observed: ObservedState,
  ): Pick<ReconcileInput, "desired" | "observed" | "left" | "takenAway"> {
    const left = new Map<ServiceId, string>([...this.#restless].map((id) => [id, RESTLESS]));
    for (const [id, { count, reason }] of this.#records.left)
      if (count === undefined && !left.has(id)) left.set(id, reason);
    return {
      desired: desired.map((one) => this.#asLeft(one)),
      observed: { ...observed, replicas: this.#withoutParked(observed.replicas) },
      left,
      takenAway: this.#own.replicas,
    };
  }

  /** Services that are at another count than the one that is asked for, and why. */
  get holds(): readonly Hold[] {
    return [...this.#records.left].flatMap(([service, { count, reason }]) =>
      count === undefined ? [] : [{ service, kind: "external" as const, reason }],
    );
  }

  /** The count was asked for, by rules or by hand: it is left at no other any more. */
  asked(service: ServiceId, by: "rules" | "hand"): void {
    if (by === "hand" || !this.#isAway(service)) this.#records.takeUp(service);
  }

  /** A person has asked for another count over the API. An account that cannot be kept does not undo it. */
  scaledByHand(
    { id, project }: Service,
    { from, to, reason }: { from: number; to: number; reason?: string | undefined },
    nowMs: number,
  ): void {
    const why = reason === undefined ? "" : `: ${reason}`;
    const sentence = `scaled by hand from ${from} to ${to}${why}`;
    try {
      this.audit.record({ atMs: nowMs, project, service: id, who: "api", what: "scale", from, to, sentence });
    } catch (error) {
      if (!isFlyballError(error)) throw error;
      this.#options.log.error({ err: error, service: id }, "the audit cannot be written");
    }
  }

  /** A project that is given, or goes: nothing of it is left as others made it. */
  forget({ services }: Project): void {
    const ids = new Set(services.map(({ id }) => id));
    for (const id of ids) this.#records.takeUp(id);
    for (const [replica, service] of this.#records.parked)
      if (ids.has(service)) this.#records.unpark(replica);
    this.#lastSeen.forget(ids);
    this.#memory = new Map([...this.#memory].filter(([id]) => !ids.has(id)));
    this.#restless = this.#restless.difference(ids);
  }

  #asLeft(desired: DesiredProject): DesiredProject {
    const held = desired.project.services.filter(({ id }) => this.#records.left.get(id)?.count !== undefined);
    if (held.length === 0) return desired;
    const counts = held.map((service) => [service.id, this.#countOf(service, desired.replicas)] as const);
    return { ...desired, replicas: new Map([...desired.replicas, ...counts]) };
  }

  /** The seats of those that stay stopped are taken, and nothing is done to them. */
  #withoutParked(replicas: readonly ObservedReplica[]): readonly ObservedReplica[] {
    const { parked } = this.#records;
    if (parked.size === 0) return replicas;
    return replicas.map((replica) =>
      parked.has(replica.id) && replica.state === "exited" ? { ...replica, state: "stopping" } : replica,
    );
  }

  /** What is remembered from now on; undefined when it could not be kept: it is settled another time then. */
  #settled({ changes, down, memory }: LookResult, nowMs: number): Memory | undefined {
    const isQuiet = changes.length + down.length === 0;
    if (isQuiet && !this.#lastSeen.differs(memory)) return memory;
    const { store, log, onExternalChange } = this.#options;
    const settled = new Map(memory);
    try {
      store.transaction(() => {
        for (const change of changes) {
          const park = this.#settle(change, nowMs);
          settled.set(change.service.id, { seats: afterSettling(change, park) });
        }
        for (const project of down) this.#letGo(project, nowMs);
        this.#lastSeen.write(settled);
      });
      this.#lastSeen.kept(settled);
    } catch (error) {
      if (!isFlyballError(error)) throw error;
      // What was seen is for the next daemon alone: this one goes on without.
      if (isQuiet) return memory;
      log.error({ err: error }, "what others have changed cannot be kept, and is settled later");
      return undefined;
    }
    for (const { service } of changes) onExternalChange?.(service.id);
    return settled;
  }

  /** @returns those that stay stopped */
  #settle(change: Change, nowMs: number): readonly ReplicaId[] {
    const { service, found, desired, stopped } = change;
    const attribution = attribute(change, this.#traces);
    const { policy, to, hold, leaves, park, sentence } = settle(change, attribution);
    for (const { id } of stopped) {
      if (park.includes(id)) this.#records.park(id, service.id);
      // It is started again, as one that crashed.
      else {
        this.#traces.set(id, { endedAtMs: nowMs, heardAtMs: nowMs });
        this.#toStartAgain.add(id);
      }
    }
    if (hold !== undefined) {
      this.#records.leave(service.id, { reason: hold, ...(leaves ? {} : { count: to }) });
    } else {
      this.#records.takeUp(service.id);
      if (to !== desired) this.#setCount(service.id, to);
    }
    this.#tell({
      atMs: nowMs,
      project: service.project,
      service: service.id,
      who: attribution.who,
      what: leaves ? "stopped" : "external",
      from: desired,
      to: leaves ? found : to,
      policy,
      sentence,
    });
    return park;
  }

  #letGo({ project, whileAway }: Down, nowMs: number): void {
    const when = whileAway ? " while Flyball was not running" : "";
    const sentence = `docker compose down took ${project.name} away${when}; left alone until docker compose up brings it back`;
    for (const { id } of project.services) this.#records.leave(id, { reason: sentence });
    this.#tell({ atMs: nowMs, project: project.name, who: "docker compose", what: "down", sentence });
  }

  /** An engine that shuts down stops everything, and nobody has wished for that. */
  #heardLast(): void {
    this.#listeningSinceMs = undefined;
    for (const [replica, { removedAtMs }] of this.#traces)
      if (removedAtMs === undefined) this.#traces.delete(replica);
    this.#toStartAgain.clear();
  }

  #tell(line: AuditLine): void {
    this.audit.record(line);
    const { project, service = project, who, from, to, policy } = line;
    this.#options.log.info({ service, who, from, to, policy }, line.sentence);
  }

  #countOf(service: Service, replicas: ReadonlyMap<ServiceId, number>): number {
    return this.#records.left.get(service.id)?.count ?? replicas.get(service.id) ?? service.initialReplicas;
  }

  #isAway(service: ServiceId): boolean {
    const record = this.#records.left.get(service);
    return record !== undefined && record.count === undefined;
  }

  /** Before the actions begin: a daemon that ends between them is followed by one that asks whose doing it was. */
  #keepOwn(): void {
    try {
      this.#lastSeen.keepOwn(this.#own.replicas);
    } catch (error) {
      if (!isFlyballError(error)) throw error;
      this.#options.log.error({ err: error }, "what is begun cannot be kept for the next daemon");
    }
  }

  /** While somebody is at work what is gone is still to be judged. */
  #forgetGone({ replicas }: ObservedState, restless: ReadonlySet<ServiceId>, nowMs: number): void {
    this.#own.forgetDoubtful(nowMs);
    // Nothing is remembered of any, nearly always.
    const remembered = [this.#own.replicas, this.#records.parked, this.#traces, this.#toStartAgain];
    if (remembered.every(({ size }) => size === 0)) return;
    const present = new Map(replicas.map((replica) => [replica.id, replica]));
    for (const id of this.#records.parked.keys())
      if (present.get(id)?.state !== "exited") this.#records.unpark(id);
    for (const id of this.#toStartAgain) if (!present.has(id)) this.#toStartAgain.delete(id);
    if (restless.size > 0) return;
    this.#own.keepOnly(new Set(present.keys()));
    // One that was made a moment ago need not have been seen yet.
    for (const [id, { heardAtMs }] of this.#traces)
      if (!present.has(id) && nowMs - heardAtMs > MINUTE_MS) this.#traces.delete(id);
  }
}

/** What is to be started again counts as before: somebody may take it away before the next look. */
function afterSettling({ seats, stopped }: Change, park: readonly ReplicaId[]): readonly Seat[] {
  const restored = new Set(stopped.map(({ id }) => id)).difference(new Set(park));
  return seats.map((seat) => (restored.has(seat.id) ? { ...seat, standing: "counts" } : seat));
}

function busyServices({ arriving, leaving }: InFlight): ReadonlySet<ServiceId> {
  return new Set([...arriving, ...leaving].map((key) => slotOfKey(key).service));
}
