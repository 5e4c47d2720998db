import { FlyballError, messageOf } from "../core/errors.ts";
import { Loop } from "../core/loop.ts";
import type {
  Hold,
  ObservedReplica,
  ObservedState,
  Plan,
  Project,
  ReplicaId,
  Service,
  ServiceId,
} from "../core/types.ts";
import { SECOND_MS } from "../core/units.ts";
import { asProcesses } from "./as-processes.ts";
import { Catalog } from "./catalog.ts";
import { describeAction, describeHold } from "./describe.ts";
import { DesiredState } from "./desired.ts";
import { EngineTrouble } from "./engine-trouble.ts";
import { type ActionResult, execute } from "./executor.ts";
import { Failures } from "./failures.ts";
import { attemptKeyOf, bringsReplica, busyInEither, InFlightWork } from "./in-flight.ts";
import type { OrchestratorOptions } from "./options.ts";
import { Ownership } from "./ownership/ownership.ts";
import { Pace } from "./pace.ts";
import { isAnythingLeft, runningCounts } from "./present.ts";
import { Probes } from "./probes/probes.ts";
import { asLastSeen, Readiness } from "./readiness.ts";
import type { DesiredProject } from "./reconcile/input.ts";
import { slotKey } from "./reconcile/keys.ts";
import { reconcile } from "./reconcile.ts";
import type { KeptRevision } from "./rollout/revisions.ts";
import type { Rollout } from "./rollout/rollout.ts";
import type { Rollouts } from "./rollout/rollouts.ts";
import type { TrialRequest } from "./rollout/trial.ts";
import type { RolloutView } from "./rollout/view.ts";
import { RolloutWatch } from "./rollout-watch.ts";
import { type Sight, sightOf } from "./sight.ts";
import { Trials } from "./trials.ts";

const PASS_INTERVAL_MS = SECOND_MS;
const LONGEST_BACKOFF_MS = 30 * SECOND_MS;
const PARALLEL_ACTIONS = 16;
/** While actions run: each look takes from the engine what they need themselves. */
const BUSY_SPACING_MS = 250;
/** At the end, for actions that run; what is not done by then is done after the next start. */
const LAST_ACTIONS_MS = 5 * SECOND_MS;

/**
 * Makes what runs be what should run: observe, reconcile, execute, once a second and whenever something may have
 * changed. Actions run beside the passes, so that a slow stop never holds up a start.
 */
export class Orchestrator implements AsyncDisposable {
  readonly ownership: Ownership;
  readonly trials: Trials;
  readonly #options: OrchestratorOptions;
  readonly #desired: DesiredState;
  readonly #loop: Loop;
  readonly #pace: Pace;
  readonly #trouble: EngineTrouble;
  readonly #probes: Probes;
  readonly #inFlight = new InFlightWork();
  readonly #failures = new Failures();
  readonly #readiness = new Readiness();
  readonly #watch: RolloutWatch;
  readonly #executions = new Set<Promise<void>>();
  readonly #abort = new AbortController();
  #watching: Disposable | undefined;
  #observed: ObservedState | undefined;
  #replicas: ReadonlyMap<ServiceId, readonly ObservedReplica[]> = new Map();
  /** Made anew when what is desired has changed. */
  #catalog: Catalog | undefined;
  #holds: ReadonlyMap<ServiceId, readonly Hold[]> = new Map();

  constructor(options: OrchestratorOptions) {
    this.#options = options;
    this.#desired = new DesiredState(options.store);
    this.ownership = new Ownership(options, (id, count) => this.#setCount(id, count));
    this.#watch = new RolloutWatch(options);
    this.trials = new Trials(this.#rollouts, (id, change) => this.#changeRollout(id, change));
    this.#trouble = new EngineTrouble(options.log);
    this.#probes = new Probes({
      run: (...command) => options.engine.run(...command),
      clock: options.clock,
      onChange: () => this.#loop.nudge(),
    });
    this.#loop = new Loop({
      intervalMs: PASS_INTERVAL_MS,
      maxBackoffMs: LONGEST_BACKOFF_MS,
      clock: options.clock,
      pass: (signal) => this.#pass(signal),
      onError: (error) => this.#trouble.failed(error),
    });
    this.#pace = new Pace({
      clock: options.clock,
      spacingMs: BUSY_SPACING_MS,
      look: () => this.#loop.nudge(),
    });
  }

  /** What was seen last; absent until the engine has answered once. */
  get observed(): ObservedState | undefined {
    return this.#observed;
  }

  /** With the templates that they are at, which after a rollback are not the files'. */
  get services(): readonly Service[] {
    return this.#known.services;
  }

  /** How far each service is on its way to its template. */
  get rollouts(): readonly RolloutView[] {
    return this.#watch.views(this.#sight);
  }

  /** Why the engine cannot be seen now; absent when it can. */
  get engineTrouble(): string | undefined {
    return this.#trouble.text;
  }

  start(): void {
    this.#watching = this.#options.engine.watch(
      () => this.#changed(),
      (sign) => this.ownership.hear(sign, this.#options.clock.nowMs()),
    );
    this.#loop.start();
  }

  service(id: ServiceId): Service | undefined {
    return this.#known.service(id);
  }

  replicasOf(service: ServiceId): readonly ObservedReplica[] {
    return this.#replicas.get(service) ?? [];
  }

  desiredReplicas(service: ServiceId): number | undefined {
    return this.#known.replicas(service);
  }

  holdsOf(service: ServiceId): readonly string[] {
    return this.holdListOf(service).map(describeHold);
  }

  /** As `holdsOf`, with the kind of each. */
  holdListOf(service: ServiceId): readonly Hold[] {
    return this.#holds.get(service) ?? [];
  }

  /** What one more needs and the host does not have, of a service of which some find no room; absent: all have theirs. */
  shortOf(service: ServiceId): string | undefined {
    return this.#sight.shortOf(service);
  }

  /** The templates that the service had, newest first. */
  revisionsOf(service: ServiceId): readonly KeptRevision[] {
    return this.#rollouts.revisions(service);
  }

  /**
   * Goes back to the last different template that has proven healthy; the count stays what it is.
   * @throws FlyballError NOT_FOUND
   */
  rollback(id: ServiceId): RolloutView {
    return this.#changeRollout(id, (service, nowMs) => this.#rollouts.rollback(service, nowMs));
  }

  /** Tries a paused rollout again. @throws FlyballError NOT_FOUND */
  resumeRollout(id: ServiceId): RolloutView {
    return this.#changeRollout(id, (service, nowMs) => this.#rollouts.resume(service, nowMs));
  }

  /** Also those that are being removed. */
  get projects(): readonly Project[] {
    return this.#known.projects;
  }

  /** What applying the project would do now. Does nothing. */
  async planProject(
    project: Project,
    signal: AbortSignal = this.#abort.signal,
    trial?: TrialRequest,
  ): Promise<Plan> {
    const { desired, rollouts } = await this.#toApply(project, signal, trial);
    return this.#planFor(desired, signal, rollouts);
  }

  /**
   * Makes the project desired and has the next pass see to it. Returns what that pass finds to do.
   * @param trial what changes is tried first @throws FlyballError NOT_SCALABLE, TRIAL_REFUSED
   */
  async applyProject(project: Project, trial?: TrialRequest): Promise<Plan> {
    const { desired, rollouts } = await this.#toApply(project, this.#abort.signal, trial);
    const plan = await this.#planFor(desired, this.#abort.signal, rollouts);
    this.ownership.forget(project);
    const nowMs = this.#options.clock.nowMs();
    this.#desired.apply(desired, () => this.#rollouts.save(desired.project, rollouts, nowMs));
    this.#rollouts.adopt(desired.project, rollouts);
    this.#catalog = undefined;
    this.#loop.nudge();
    return plan;
  }

  /** Removes the project with its replicas and networks; its volumes stay, as compose leaves them. */
  async removeProject(name: string): Promise<Plan> {
    const known = this.#desired.project(name);
    if (known === undefined) throw new FlyballError("NOT_FOUND", `there is no project ${name}`);
    const plan = await this.#planFor({ ...known, removing: true }, this.#abort.signal);
    this.#desired.startRemoval(name);
    this.ownership.forget(known.project);
    this.#catalog = undefined;
    this.#loop.nudge();
    return plan;
  }

  /** The service should have that many replicas from now on. @throws FlyballError NOT_FOUND, NOT_SCALABLE */
  setReplicas(id: ServiceId, count: number, by: "rules" | "hand" = "hand"): void {
    const service = this.#find(id);
    if (count > 1 && service.singleReplicaReason !== undefined) {
      throw new FlyballError(
        "NOT_SCALABLE",
        `${id} cannot have ${count} replicas: ${service.singleReplicaReason}`,
      );
    }
    this.#setCount(id, count);
    this.ownership.asked(id, by);
    this.#loop.nudge();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watching?.[Symbol.dispose]();
    this.#pace[Symbol.dispose]();
    await this.#loop.stop();
    await this.#probes[Symbol.asyncDispose]();
    const timer = setTimeout(() => this.#abort.abort(), LAST_ACTIONS_MS);
    await Promise.allSettled(this.#executions);
    clearTimeout(timer);
    this.#abort.abort();
  }

  async #pass(signal: AbortSignal): Promise<void> {
    const { engine, clock, onObserved } = this.#options;
    const busyBefore = this.#inFlight.snapshot();
    const seen = await engine.observe(this.#known.projects, signal);
    signal.throwIfAborted();
    this.#trouble.answered();
    const nowMs = clock.nowMs();
    const probed = this.#probes.apply(seen.replicas, ({ service: id, templateHash }) =>
      this.#rollouts.behind(this.service(id), templateHash),
    );
    const replicas = this.#readiness.apply(probed, nowMs);
    const observed = { ...seen, replicas };
    this.#observed = observed;
    this.#replicas = Map.groupBy(replicas, ({ service }) => service);
    const inFlight = busyInEither(busyBefore, this.#inFlight.snapshot());
    this.#failures.observed(observed, inFlight, (id) => this.service(id));
    this.#options.scenes?.see(replicas, ({ service, slot }) => {
      const key = slotKey(service, slot);
      return inFlight.arriving.has(key) || inFlight.leaving.has(key);
    });
    this.ownership.look({ nowMs, observed, desired: this.#known.desired, inFlight });
    const mayBeEnded = (id: ReplicaId) => this.ownership.mayBeEndedByOthers(id);
    // A replica has been well until the look began: an engine that is slow to answer tells of the past.
    if (observed.complete && this.#watch.look(this.#sight, inFlight, mayBeEnded, observed.atMs))
      this.#catalog = undefined;

    const plan = reconcile({
      ...this.#facts(nowMs),
      ...this.ownership.planned(this.#known.desired, observed),
      inFlight,
      rollouts: this.#rollouts.all,
    });
    this.#holds = Map.groupBy([...plan.holds, ...this.ownership.holds], ({ service }) => service);
    this.#execute(plan);
    this.#finishRemovals(observed, plan);
    this.#pace.looked();
    onObserved(observed);
  }

  #execute(plan: Plan): void {
    if (plan.actions.length === 0) return;
    this.#inFlight.add(plan);
    this.ownership.begun(plan);
    const { engine, scenes, beforeStop } = this.#options;
    const execution = execute(plan, {
      perform: async (action, created) => {
        const project = this.#known.projectBehind(action, this.#observed);
        const service = this.#watch.serviceFor(action, project);
        const context = {
          project,
          ...(service === undefined ? {} : { service }),
          ...(created === undefined ? {} : { createdReplica: created }),
        };
        if ("replica" in action) {
          const replica = this.replicasOf(action.service).find(({ id }) => id === action.replica);
          await scenes?.before(action, replica);
        }
        const graceMs = service?.template.stopGraceMs ?? 0;
        if (action.kind === "stop-replica") await beforeStop?.(action.replica, graceMs, this.#abort.signal);
        const made = await engine.perform(action, context, this.#abort.signal);
        if (action.kind === "pull-image") {
          await this.#watch.imagePulled(action.image, engine, this.#sight, this.#abort.signal);
          this.#catalog = undefined;
        }
        return made;
      },
      onResult: (result) => this.#actionEnded(result, plan),
      parallelism: PARALLEL_ACTIONS,
      monotonicMs: () => this.#options.clock.monotonicMs(),
    });
    this.#executions.add(execution);
    void execution.finally(() => {
      this.#executions.delete(execution);
      this.#changed();
    });
  }

  #actionEnded(result: ActionResult, plan: Plan): void {
    const { action, outcome, error, tookMs } = result;
    const { log, clock, onAction } = this.#options;
    this.#inFlight.finish(action);
    this.ownership.ended(action, outcome);
    const about = { action: describeAction(action), cause: action.cause, tookMs: Math.round(tookMs) };
    if (outcome === "done") {
      log.info(about, "action done");
      // A slot is forgiven when its replica has run for a while, not because it could be started.
      if (!bringsReplica(action)) this.#failures.forget(attemptKeyOf(action));
      if (action.kind === "start-replica" && action.replica !== undefined)
        this.#failures.started(action.replica);
    } else if (outcome === "failed" && !this.#abort.signal.aborted) {
      log.error({ ...about, err: error }, "action failed");
      this.#failures.failed(attemptKeyOf(action), messageOf(error), clock.nowMs());
      this.#watch.refused(action, error, { plan, catalog: this.#known, observed: this.#observed });
    }
    onAction(result);
    this.#changed();
  }

  #finishRemovals(observed: ObservedState, plan: Plan): void {
    if (!observed.complete || plan.actions.length > 0 || this.#executions.size > 0) return;
    for (const { project, removing } of this.#desired.all) {
      if (!removing || isAnythingLeft(project, observed)) continue;
      this.#desired.finishRemoval(project.name, () => this.#rollouts.erase(project.name));
      this.#rollouts.forget(project.name);
      this.#catalog = undefined;
    }
  }

  async #toApply(
    project: Project,
    signal: AbortSignal,
    trial?: TrialRequest,
  ): Promise<{ desired: DesiredProject; rollouts: ReadonlyMap<ServiceId, Rollout> }> {
    const forEngine = this.#options.engine.kind === "docker" ? project : asProcesses(project);
    const observed = await this.#options.engine.observe([forEngine], signal);
    const replicas = Map.groupBy(observed.replicas, ({ service }) => service);
    const replicasOf = (id: ServiceId) => replicas.get(id) ?? [];
    const nowMs = this.#options.clock.nowMs();
    return {
      desired: this.#desired.withProject(forEngine, runningCounts(observed)),
      rollouts: this.#rollouts.withProject(forEngine, replicasOf, nowMs, trial),
    };
  }

  /** @param rollouts as they would be; absent: as they are */
  async #planFor(
    desired: DesiredProject,
    signal: AbortSignal,
    rollouts: ReadonlyMap<ServiceId, Rollout> = this.#rollouts.all,
  ): Promise<Plan> {
    const observed = await this.#options.engine.observe([desired.project], signal);
    return reconcile({
      ...this.#facts(this.#options.clock.nowMs()),
      desired: [desired],
      observed: asLastSeen(observed, this.#observed),
      inFlight: this.#inFlight.snapshot(),
      rollouts,
    });
  }

  /** What a plan looks at beside what is desired and what is there. */
  #facts(nowMs: number) {
    const { capacity, circumstances } = this.#options;
    return {
      nowMs,
      attempts: this.#failures.attempts,
      ...circumstances?.(),
      ...(capacity === undefined ? {} : { capacity }),
    };
  }

  #setCount(id: ServiceId, count: number): void {
    this.#desired.setReplicas(id, count);
  }

  get #known(): Catalog {
    this.#catalog ??= new Catalog(this.#desired.all, (project) => this.#rollouts.resolve(project));
    return this.#catalog;
  }

  #find(id: ServiceId): Service {
    const service = this.service(id);
    if (service === undefined) throw new FlyballError("NOT_FOUND", `there is no service ${id}`);
    return service;
  }

  get #rollouts(): Rollouts {
    return this.#watch.rollouts;
  }

  get #sight(): Sight {
    return sightOf({
      catalog: this.#known,
      observed: this.#observed,
      replicasOf: (id) => this.replicasOf(id),
      holdsOf: (id) => this.holdListOf(id),
      capacity: this.#options.capacity,
      rollouts: this.#rollouts.all,
    });
  }

  #changeRollout(id: ServiceId, change: (service: Service, nowMs: number) => Rollout): RolloutView {
    const rollout = change(this.#find(id), this.#options.clock.nowMs());
    this.#catalog = undefined;
    this.#loop.nudge();
    return this.#watch.asked(rollout, this.#find(id), this.#sight);
  }

  /** Something may be otherwise than it was seen. */
  #changed(): void {
    if (this.#executions.size > 0) this.#pace.soon();
    else this.#loop.nudge();
  }
}
