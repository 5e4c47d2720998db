import type { Clock } from "../core/clock.ts";
import { isFlyballError, messageOf } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { Store } from "../core/store.ts";
import type {
  Action,
  ObservedReplica,
  ObservedState,
  Plan,
  Project,
  ReplicaId,
  Service,
} from "../core/types.ts";
import type { Catalog } from "./catalog.ts";
import type { Engine } from "./engine.ts";
import type { InFlight } from "./reconcile/input.ts";
import { slotKey } from "./reconcile/keys.ts";
import { wantedReplicas } from "./reconcile/wanted.ts";
import { describeRevision } from "./rollout/describe.ts";
import type { TrafficOf } from "./rollout/evidence.ts";
import type { Rollout } from "./rollout/rollout.ts";
import { type RolloutLook, Rollouts } from "./rollout/rollouts.ts";
import { type RolloutView, rolloutView } from "./rollout/view.ts";
import type { Sight } from "./sight.ts";

/** Brings the rollouts what was seen and what the engine refused, and tells how they are. */
export class RolloutWatch {
  readonly rollouts: Rollouts;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #traffic: Pick<RolloutLook, "trafficOf">;

  constructor(options: { store: Store; clock: Clock; log: Log; trafficOf?: TrafficOf }) {
    const { store, clock, log, trafficOf } = options;
    this.rollouts = new Rollouts(store);
    this.#traffic = trafficOf === undefined ? {} : { trafficOf };
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * Moves every rollout on; true when one changed. A store that cannot be written leaves them where they are: what
   * runs is looked after all the same.
   *
   * @param mayBeEnded by somebody else, which says nothing about the new version
   */
  look(
    sight: Sight,
    inFlight: InFlight,
    mayBeEnded: (replica: ReplicaId) => boolean,
    nowMs: number,
  ): boolean {
    const isExcused = ({ id, service, slot }: ObservedReplica) => {
      const key = slotKey(service, slot);
      return inFlight.arriving.has(key) || inFlight.leaving.has(key) || mayBeEnded(id);
    };
    const { replicasOf, shortOf } = sight;
    const wanted = (service: Service) => {
      const asked = wantedOf(service, sight.catalog);
      if (shortOf(service.id) === undefined) return asked;
      // A rollout waits for nothing that cannot come: it is over when those that there are, are new.
      const present = replicasOf(service.id).filter(({ state }) => state !== "stopping");
      return Math.min(asked, present.length);
    };
    try {
      const look = { replicasOf, wanted, isExcused, ...this.#traffic };
      const changed = this.rollouts.advance(sight.catalog.services, look, nowMs);
      for (const rollout of changed) this.#tellOf(rollout, sight);
      return changed.length > 0;
    } catch (error) {
      if (!isFlyballError(error)) throw error;
      this.#log.error({ err: error }, "the rollouts could not be kept, and wait");
      return false;
    }
  }

  /** What the engine refuses counts against the template it is about; an engine that is away does not. */
  refused(
    action: Action,
    error: unknown,
    about: { readonly plan: Plan; readonly catalog: Catalog; readonly observed: ObservedState | undefined },
  ): void {
    if (!isFlyballError(error) || error.code === "ENGINE_UNAVAILABLE") return;
    for (const service of about.catalog.servicesBehind(action)) {
      const hash = templateBehind(action, about.plan, about.observed) ?? service.templateHash;
      try {
        this.rollouts.refused(service, hash, messageOf(error), this.#clock.nowMs());
      } catch (notKept) {
        this.#log.error({ err: notKept }, "a rollout could not be kept");
      }
    }
  }

  /** The definition that an action is about: of a replica that is made, the revision that was planned. */
  serviceFor(action: Action, project: Project): Service | undefined {
    if (!("service" in action)) return undefined;
    const service = project.services.find(({ id }) => id === action.service);
    if (service === undefined || action.kind !== "create-replica" || action.templateHash === undefined) {
      return service;
    }
    return this.rollouts.at(service, action.templateHash);
  }

  /** An image was pulled: services that take the newest go on to it. */
  async imagePulled(name: string, engine: Engine, sight: Sight, signal: AbortSignal): Promise<void> {
    const { catalog, replicasOf } = sight;
    const id = await engine.imageId(name, signal);
    if (id === undefined) return;
    const changed = this.rollouts.imagePulled(
      catalog.services,
      { name, id },
      replicasOf,
      this.#clock.nowMs(),
    );
    for (const rollout of changed) this.#tellOf(rollout, sight);
  }

  views(sight: Sight): readonly RolloutView[] {
    return sight.catalog.services.flatMap((service) => {
      const rollout = this.rollouts.all.get(service.id);
      return rollout === undefined ? [] : [this.viewOf(rollout, service, sight)];
    });
  }

  viewOf(rollout: Rollout, service: Service, { catalog, replicasOf, lackOf }: Sight): RolloutView {
    const [replicas, wanted] = [replicasOf(service.id), wantedOf(service, catalog)];
    const mayBeShort = rollout.state === "updating" && replicas.length <= wanted;
    const lack = mayBeShort ? lackOf(service) : undefined;
    const waitsFor = this.rollouts.waitedFor(rollout, this.#clock.nowMs());
    return rolloutView(rollout, service, replicas, wanted, lack, waitsFor);
  }

  /** A person wanted it so. */
  asked(rollout: Rollout, service: Service, sight: Sight): RolloutView {
    const { kind, service: id, to, trial } = rollout;
    const about = { service: id, kind, to: describeRevision(to), ...(trial === undefined ? {} : { trial }) };
    this.#log.info(about, "a rollout was asked for");
    return this.viewOf(rollout, service, sight);
  }

  #tellOf(rollout: Rollout, sight: Sight): void {
    const service = sight.catalog.service(rollout.service);
    if (service === undefined) return;
    const { state, sentence } = this.viewOf(rollout, service, sight);
    this.#log.info({ service: service.id, rollout: state }, sentence);
  }
}

function wantedOf(service: Service, catalog: Catalog): number {
  return wantedReplicas(service, catalog.replicas(service.id) ?? service.initialReplicas);
}

/** The template of the replica that was to be made or started; absent: the newest. */
function templateBehind(action: Action, plan: Plan, observed: ObservedState | undefined): string | undefined {
  if (action.kind === "create-replica") return action.templateHash;
  if (action.kind !== "start-replica") return undefined;
  const { service, slot, replica: id } = action;
  if (id !== undefined) return observed?.replicas.find((replica) => replica.id === id)?.templateHash;
  for (const other of plan.actions) {
    if (other.kind !== "create-replica" || other.service !== service || other.slot !== slot) continue;
    return other.templateHash;
  }
  return undefined;
}
