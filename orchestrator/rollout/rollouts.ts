import { FlyballError } from "../../core/errors.ts";
import type { Store } from "../../core/store.ts";
import type { ObservedReplica, Project, Service, ServiceId } from "../../core/types.ts";
import { formatPercent, MINUTE_MS } from "../../core/units.ts";
import { runOf } from "../readiness.ts";
import { cloneSource } from "../reconcile/clone-source.ts";
import { advance, afterRefusal, isComplete, type RolloutScene } from "./advance.ts";
import { describeRevision } from "./describe.ts";
import { type Evidence, gather, type TrafficOf } from "./evidence.ts";
import { movedOn } from "./newest-image.ts";
import { abortTrial, afterVerdict, promoteTrial, withTrial } from "./on-trial.ts";
import { updatePolicy } from "./policy.ts";
import { type KeptRevision, Revisions } from "./revisions.ts";
import {
  afterGap,
  beginRollback,
  beginRollout,
  isOld,
  type Revision,
  type Rollout,
  resumeRollout,
  takesNewestImage,
  withImagePulled,
} from "./rollout.ts";
import { judge, type Trial, type TrialRequest } from "./trial.ts";
import { onTrial } from "./try.ts";

/** Longer than this between two looks, and nobody was looking. */
const GAP_MS = MINUTE_MS;

/** What a service's replicas are at, for a rollout that begins. */
export type ReplicasOf = (service: ServiceId) => readonly ObservedReplica[];

/** What the rollouts look at in a pass. */
export interface RolloutLook {
  readonly replicasOf: ReplicasOf;
  /** The count that is asked for. */
  readonly wanted: (service: Service) => number;
  /** A running action works on it, or somebody else has ended it. */
  readonly isExcused: (replica: ObservedReplica) => boolean;
  /** What the balancer counts; absent: nobody counts. */
  readonly trafficOf?: TrafficOf;
}

/**
 * The rollout of each service. Written to the store before it is acted on; read from it once, at the start. What a
 * rollout does is for `advance` and `reconcile` to say.
 */
export class Rollouts {
  readonly #store: Store;
  readonly #revisions: Revisions;
  readonly #current = new Map<ServiceId, Rollout>();
  readonly #projectOf = new Map<ServiceId, string>();
  #lookedAtMs: number | undefined;
  /** Of those on trial. */
  readonly #evidence = new Map<ServiceId, Evidence>();
  /** Runs that had ended before anybody looked. */
  readonly #endedUnseen = new Set<string>();

  constructor(store: Store) {
    this.#store = store;
    this.#revisions = new Revisions(store);
    for (const { project, rollout } of this.#revisions.rollouts()) this.#set(project, rollout);
  }

  get all(): ReadonlyMap<ServiceId, Rollout> {
    return this.#current;
  }

  revisions(service: ServiceId): readonly KeptRevision[] {
    return this.#revisions.of(service);
  }

  /** The project with the templates that its services are at, which after a rollback are not the file's. */
  resolve(project: Project): Project {
    const isAtFile = project.services.every((service) => this.#resolveService(service) === service);
    if (isAtFile) return project;
    return { ...project, services: project.services.map((service) => this.#resolveService(service)) };
  }

  /** The service as replicas of that template are made from it. @throws FlyballError INTERNAL */
  at(service: Service, hash: string): Service {
    if (service.templateHash === hash) return service;
    const { to, from } = this.#current.get(service.id) ?? {};
    const known = [to, from].find((revision) => revision?.hash === hash);
    const revision = known ?? this.#revisions.byHash(service.id, hash);
    if (revision === undefined) {
      throw new FlyballError("INTERNAL", `the template ${hash} of ${service.id} is not kept`);
    }
    return { ...service, template: revision.template, templateHash: revision.hash };
  }

  /** The service as a replica of that template is of it, as far as its rollout knows; absent hash: as it is to be. */
  behind(service: Service | undefined, hash: string | undefined): Service | undefined {
    if (service === undefined) return undefined;
    const from = this.#current.get(service.id)?.from;
    if (from === undefined || hash === undefined || hash === service.templateHash || from.hash !== hash)
      return service;
    return { ...service, template: from.template, templateHash: hash };
  }

  /** The rollouts as they would be after the project was applied: of each service whose template changes, another. */
  withProject(
    project: Project,
    replicasOf: ReplicasOf,
    nowMs: number,
    trial?: TrialRequest,
  ): ReadonlyMap<ServiceId, Rollout> {
    const services = project.services.filter(isRolledOut);
    return new Map(
      services.map((service) => {
        const current = this.#current.get(service.id);
        const applied = this.#applied(service, replicasOf, nowMs);
        const isTried = trial !== undefined && applied.to.hash !== current?.to.hash;
        const next = isTried ? onTrial(applied, trial, { service, current, replicasOf }) : applied;
        return [service.id, next];
      }),
    );
  }

  /** Writes them to the store, within the caller's transaction; `adopt` follows when that has succeeded. */
  save(project: Project, rollouts: ReadonlyMap<ServiceId, Rollout>, nowMs: number): void {
    this.#revisions.forgetOthers(project.name, [...rollouts.keys()]);
    for (const rollout of rollouts.values()) {
      if (this.#current.get(rollout.service) === rollout) continue;
      this.#keep(rollout.service, rollout.to, nowMs);
      this.#revisions.saveRollout(project.name, rollout);
    }
  }

  adopt(project: Project, rollouts: ReadonlyMap<ServiceId, Rollout>): void {
    this.forget(project.name);
    for (const rollout of rollouts.values()) this.#set(project.name, rollout);
  }

  /** Those of a project that is gone, in the store alone, within the caller's transaction; `forget` follows. */
  erase(project: string): void {
    this.#revisions.forgetOthers(project, []);
  }

  forget(project: string): void {
    for (const [service, of] of this.#projectOf) {
      if (of !== project) continue;
      this.#current.delete(service);
      this.#projectOf.delete(service);
    }
  }

  /** Looks at every rollout that is under way. Returns those that changed. */
  advance(services: readonly Service[], look: RolloutLook, nowMs: number): readonly Rollout[] {
    const gapMs = this.#lookedAtMs === undefined ? undefined : nowMs - this.#lookedAtMs;
    this.#lookedAtMs = nowMs;
    const isFirstLook = gapMs === undefined || gapMs > GAP_MS;
    if (isFirstLook) this.#endedUnseen.clear();
    const changed: Rollout[] = [];
    for (const service of services.filter(isRolledOut)) {
      const known = this.#current.get(service.id);
      if (known?.state === "done") continue;
      const replicas = look.replicasOf(service.id);
      const unseen = isFirstLook ? replicas.filter(({ state }) => state === "exited") : [];
      for (const replica of unseen) this.#endedUnseen.add(runOf(replica));
      const before = known ?? this.#applied(service, look.replicasOf, nowMs);
      const looked = awake(before, gapMs, nowMs);
      const after = this.#advanceOne(service, looked, look, nowMs);
      if (after === known) continue;
      this.#changed(service, before, after, nowMs);
      changed.push(after);
    }
    return changed;
  }

  /** That image was pulled: services that take the newest go on to it, when it is another than their replicas have. */
  imagePulled(
    services: readonly Service[],
    image: { readonly name: string; readonly id: string },
    replicasOf: ReplicasOf,
    nowMs: number,
  ): readonly Rollout[] {
    return services.flatMap((service) => {
      const rollout = this.#current.get(service.id);
      if (rollout?.pullsAnew !== true || rollout.to.template.image !== image.name) return [];
      const after = this.#store.transaction(() => {
        const moved = movedOn(rollout.to, image.id, replicasOf(service.id));
        if (moved !== undefined) this.#revisions.pin(service.id, moved.pinned);
        const next =
          moved === undefined
            ? withImagePulled(rollout)
            : this.#begin(service.id, moved.next, moved.pinned, replicasOf, nowMs);
        this.#keep(service.id, next.to, nowMs);
        this.#revisions.saveRollout(service.project, next);
        return next;
      });
      this.#set(service.project, after);
      return [after];
    });
  }

  /** The engine could not make or start what the rollout needs. */
  refused(service: Service, hash: string, reason: string, nowMs: number): void {
    const rollout = this.#current.get(service.id);
    if (rollout === undefined || rollout.to.hash !== hash) return;
    const after = afterRefusal(rollout, reason, nowMs);
    if (after !== rollout) this.#save(service.project, after);
  }

  /** Back to the last different template that has proven healthy. The count stays. @throws FlyballError NOT_FOUND */
  rollback(service: Service, nowMs: number): Rollout {
    const rollout = this.#current.get(service.id);
    const target = this.#revisions.lastHealthy(service.id, rollout?.to.hash ?? service.templateHash);
    if (rollout === undefined || target === undefined) {
      throw new FlyballError(
        "NOT_FOUND",
        `${service.id} has no other template that has proven healthy, to go back to`,
      );
    }
    if (rollout.trial !== undefined) return this.abort(service, nowMs);
    const reason = `somebody asked to leave ${describeRevision(rollout.to)}`;
    const after = beginRollback(rollout, reason, nowMs, revisionOf(target));
    this.#save(service.project, after);
    return after;
  }

  /** Ends the trial with the template before. @throws FlyballError NOT_FOUND */
  abort(service: Service, nowMs: number): Rollout {
    const { rollout } = this.#trialOf(service);
    const reason = `somebody asked to leave ${describeRevision(rollout.to)}`;
    const after = abortTrial(rollout, reason, nowMs);
    this.#save(service.project, after);
    return after;
  }

  /**
   * Ends the trial with the new template, or gives it another weight.
   * @throws FlyballError NOT_FOUND, OUT_OF_BOUNDS for a canary that would get every request
   */
  promote(service: Service, weightRatio: number | undefined, nowMs: number): Rollout {
    const { rollout, trial } = this.#trialOf(service);
    const after =
      weightRatio === undefined
        ? promoteTrial(rollout, nowMs)
        : withTrial(rollout, atWeight(trial, weightRatio), nowMs);
    this.#save(service.project, after);
    return after;
  }

  /** What a trial waits for; absent: there is none, or nobody has looked yet. */
  waitedFor(rollout: Rollout, nowMs: number): string | undefined {
    const evidence = this.#evidence.get(rollout.service);
    if (rollout.trial === undefined || evidence?.templateHash !== rollout.to.hash) return undefined;
    const verdict = judge(rollout.trial, evidence, nowMs);
    return verdict.kind === "stay" ? verdict.missing : undefined;
  }

  #trialOf(service: Service): { readonly rollout: Rollout; readonly trial: Trial } {
    const rollout = this.#current.get(service.id);
    if (rollout?.trial === undefined) throw new FlyballError("NOT_FOUND", `${service.id} is not on trial`);
    return { rollout, trial: rollout.trial };
  }

  /** Goes on with a paused rollout. @throws FlyballError NOT_FOUND */
  resume(service: Service, nowMs: number): Rollout {
    const rollout = this.#current.get(service.id);
    if (rollout?.state !== "paused") {
      throw new FlyballError("NOT_FOUND", `${service.id} has no paused rollout`);
    }
    const after = resumeRollout(rollout, nowMs);
    this.#save(service.project, after);
    return after;
  }

  #advanceOne(service: Service, rollout: Rollout, look: RolloutLook, nowMs: number): Rollout {
    const replicas = look.replicasOf(service.id);
    const wanted = look.wanted(service);
    // Compose updates what compose made.
    if (cloneSource(replicas) !== undefined) return { ...rollout, state: "done", endedAtMs: nowMs };
    const policy = updatePolicy(service, wanted, rollout.kind);
    const isExcused = (replica: ObservedReplica) =>
      look.isExcused(replica) || this.#endedUnseen.has(runOf(replica));
    const { restart } = service.template;
    const scene: RolloutScene = { policy, restart, wanted, replicas, isExcused };
    return this.#judged(advance(rollout, scene, nowMs), scene, look, nowMs);
  }

  /** What the requests of both templates say of a rollout on trial. */
  #judged(rollout: Rollout, { replicas, wanted }: RolloutScene, look: RolloutLook, nowMs: number): Rollout {
    const { service, trial } = rollout;
    if (trial === undefined) {
      this.#evidence.delete(service);
      return rollout;
    }
    const seen = {
      replicas,
      trafficOf: look.trafficOf ?? (() => undefined),
      isReady: wanted > 0 && isComplete(rollout, wanted),
    };
    const evidence = gather(this.#evidence.get(service), rollout, seen, nowMs);
    this.#evidence.set(service, evidence);
    return afterVerdict(rollout, judge(trial, evidence, nowMs), nowMs);
  }

  #changed(service: Service, before: Rollout, after: Rollout, nowMs: number): void {
    this.#store.transaction(() => {
      const { id } = service;
      this.#keep(id, after.to, nowMs);
      if (after.state === "done" && after.settled.length > 0) {
        this.#revisions.ended(id, after.to.hash, { outcome: "healthy", atMs: nowMs });
      }
      const failed = after.kind === "rollback" && before.to.hash !== after.to.hash;
      if (failed || (after.state === "paused" && before.state !== "paused")) {
        const end = { outcome: "failed" as const, reason: after.reason, atMs: nowMs };
        this.#revisions.ended(id, before.to.hash, end);
      }
      this.#revisions.saveRollout(service.project, after);
    });
    this.#set(service.project, after);
  }

  #applied(service: Service, replicasOf: ReplicasOf, nowMs: number): Rollout {
    const current = this.#current.get(service.id);
    const { id, templateHash: hash, template } = service;
    if (current !== undefined && (current.to.definitionHash ?? current.to.hash) === hash) {
      const resumed = resumeRollout(current, nowMs);
      const isSame = JSON.stringify(current.to.template) === JSON.stringify(template);
      const same = isSame ? resumed : { ...resumed, to: { ...current.to, template } };
      return takesNewestImage(template) ? { ...same, pullsAnew: true } : same;
    }
    return this.#begin(id, { hash, template }, current?.to, replicasOf, nowMs);
  }

  #begin(
    id: ServiceId,
    { hash, ...revision }: Omit<Revision, "number">,
    current: Revision | undefined,
    replicasOf: ReplicasOf,
    nowMs: number,
  ): Rollout {
    const healthy = this.#revisions.lastHealthy(id, hash);
    const from = healthy === undefined ? current : revisionOf(healthy);
    const to = { number: this.#revisions.nextNumber(id), hash, ...revision };
    const hasOld = replicasOf(id).some((one) => one.state !== "stopping" && isOld(one, hash));
    return beginRollout(id, { to, from, canGoBack: healthy !== undefined, hasOld }, nowMs);
  }

  #resolveService(service: Service): Service {
    const to = this.#current.get(service.id)?.to;
    if (to === undefined || !isRolledOut(service)) return service;
    // Of one definition there is the image that its name stands for, and the one that it was pinned to.
    const isAtFile = to.hash === service.templateHash && to.template.image === service.template.image;
    if (isAtFile) return service;
    return { ...service, template: to.template, templateHash: to.hash };
  }

  #keep(service: ServiceId, { number, hash, template }: Revision, nowMs: number): void {
    if (number !== undefined) this.#revisions.keep(service, { number, hash, template }, nowMs);
  }

  #save(project: string, rollout: Rollout): void {
    this.#revisions.saveRollout(project, rollout);
    this.#set(project, rollout);
  }

  #set(project: string, rollout: Rollout): void {
    this.#current.set(rollout.service, rollout);
    this.#projectOf.set(rollout.service, project);
  }
}

/** A person who sets the weight goes through the steps from there. */
function atWeight(trial: Trial, weightRatio: number): Trial {
  const isCanary = trial.kind === "canary";
  if (isCanary && (weightRatio <= 0 || weightRatio >= 1)) {
    const got = formatPercent(weightRatio);
    throw new FlyballError(
      "OUT_OF_BOUNDS",
      `expected a weight between 0 % and 100 % of a canary, got ${got}`,
    );
  }
  return { ...trial, weightRatio, nextRatios: trial.nextRatios.filter((next) => next > weightRatio) };
}

/** A task of a job is made from the definition of its moment. */
function isRolledOut({ job }: Service): boolean {
  return job === undefined;
}

function revisionOf({ number, hash, template }: KeptRevision): Revision {
  return { number, hash, template };
}

/** @param gapMs since the look before; absent: there was none */
function awake(rollout: Rollout, gapMs: number | undefined, nowMs: number): Rollout {
  if (gapMs === undefined) return afterGap(rollout, Math.max(0, nowMs - rollout.progressAtMs));
  return gapMs > GAP_MS ? afterGap(rollout, gapMs) : rollout;
}
