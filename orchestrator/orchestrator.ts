import type { Clock } from "../core/clock.ts";
import { FlyballError, messageOf } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import { Loop } from "../core/loop.ts";
import type { Store } from "../core/store.ts";
import type {
  Hold,
  ObservedReplica,
  ObservedState,
  Plan,
  Project,
  Service,
  ServiceId,
} from "../core/types.ts";
import { SECOND_MS } from "../core/units.ts";
import { asProcesses } from "./as-processes.ts";
import { type Attempts, failedAgain } from "./backoff.ts";
import { describeAction, describeHold } from "./describe.ts";
import { DesiredState } from "./desired.ts";
import type { Engine } from "./engine.ts";
import { type ActionResult, execute } from "./executor.ts";
import { attemptKeyOf, bringsReplica, busyInEither, InFlightWork } from "./in-flight.ts";
import { Probes } from "./probes.ts";
import type { DesiredProject, InFlight } from "./reconcile/input.ts";
import { slotKey } from "./reconcile/keys.ts";
import { reconcile } from "./reconcile.ts";

const PASS_INTERVAL_MS = SECOND_MS;
const LONGEST_BACKOFF_MS = 30 * SECOND_MS;
const PARALLEL_ACTIONS = 16;
/** A replica that has run for this long has left its failures behind. */
const STEADY_MS = 10 * SECOND_MS;
/** At the end, for actions that run; what is not done by then is done after the next start. */
const LAST_ACTIONS_MS = 5 * SECOND_MS;

export interface OrchestratorOptions {
  readonly engine: Engine;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** After each pass that saw the engine. */
  readonly onObserved: (observed: ObservedState) => void;
  readonly onAction: (result: ActionResult) => void;
}

/**
 * Makes what runs be what should run: observe, reconcile, execute, once a second and whenever something may have
 * changed. Actions run beside the passes, so that a slow stop never holds up a start.
 */
export class Orchestrator implements AsyncDisposable {
  readonly #options: OrchestratorOptions;
  readonly #desired: DesiredState;
  readonly #loop: Loop;
  readonly #probes: Probes;
  readonly #inFlight = new InFlightWork();
  readonly #attempts = new Map<string, Attempts>();
  readonly #countedExits = new Map<string, string>();
  readonly #readyAtMs = new Map<string, number>();
  readonly #executions = new Set<Promise<void>>();
  readonly #abort = new AbortController();
  #watching: Disposable | undefined;
  #observed: ObservedState | undefined;
  #holds: readonly Hold[] = [];
  #engineTrouble: string | undefined;

  constructor(options: OrchestratorOptions) {
    this.#options = options;
    this.#desired = new DesiredState(options.store);
    this.#probes = new Probes(() => this.#loop.nudge());
    this.#loop = new Loop({
      intervalMs: PASS_INTERVAL_MS,
      maxBackoffMs: LONGEST_BACKOFF_MS,
      clock: options.clock,
      pass: (signal) => this.#pass(signal),
      onError: (error) => this.#passFailed(error),
    });
  }

  /** What was seen last; absent until the engine has answered once. */
  get observed(): ObservedState | undefined {
    return this.#observed;
  }

  get services(): readonly Service[] {
    return this.#desired.services;
  }

  /** Why the engine cannot be seen now; absent when it can. */
  get engineTrouble(): string | undefined {
    return this.#engineTrouble;
  }

  start(): void {
    this.#watching = this.#options.engine.watch(() => this.#loop.nudge());
    this.#loop.start();
  }

  service(id: ServiceId): Service | undefined {
    return this.#desired.service(id);
  }

  replicasOf(service: ServiceId): readonly ObservedReplica[] {
    return this.#observed?.replicas.filter((replica) => replica.service === service) ?? [];
  }

  desiredReplicas(service: ServiceId): number | undefined {
    return this.#desired.replicas(service);
  }

  holdsOf(service: ServiceId): readonly string[] {
    return this.#holds.filter((hold) => hold.service === service).map(describeHold);
  }

  hasProject(name: string): boolean {
    return this.#desired.project(name) !== undefined;
  }

  /** What applying the project would do now. Does nothing. */
  async planProject(project: Project, signal: AbortSignal = this.#abort.signal): Promise<Plan> {
    const desired = await this.#toApply(project, signal);
    return this.#planFor([desired], signal);
  }

  /** Makes the project desired and has the next pass see to it. Returns what that pass finds to do. */
  async applyProject(project: Project): Promise<Plan> {
    const desired = await this.#toApply(project, this.#abort.signal);
    const plan = await this.#planFor([desired], this.#abort.signal);
    this.#desired.apply(desired);
    this.#loop.nudge();
    return plan;
  }

  /** Removes the project with its replicas and networks; its volumes stay, as compose leaves them. */
  async removeProject(name: string): Promise<Plan> {
    const known = this.#desired.project(name);
    if (known === undefined) throw new FlyballError("NOT_FOUND", `there is no project ${name}`);
    const plan = await this.#planFor([{ ...known, removing: true }], this.#abort.signal);
    this.#desired.startRemoval(name);
    this.#loop.nudge();
    return plan;
  }

  /** The service should have that many replicas from now on. @throws FlyballError NOT_FOUND, NOT_SCALABLE */
  setReplicas(id: ServiceId, count: number): void {
    const service = this.service(id);
    if (service === undefined) throw new FlyballError("NOT_FOUND", `there is no service ${id}`);
    if (count > 1 && service.singleReplicaReason !== undefined) {
      throw new FlyballError(
        "NOT_SCALABLE",
        `${id} cannot have ${count} replicas: ${service.singleReplicaReason}`,
      );
    }
    this.#desired.setReplicas(id, count);
    this.#loop.nudge();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watching?.[Symbol.dispose]();
    await this.#loop.stop();
    this.#probes[Symbol.dispose]();
    const timer = setTimeout(() => this.#abort.abort(), LAST_ACTIONS_MS);
    await Promise.allSettled(this.#executions);
    clearTimeout(timer);
    this.#abort.abort();
  }

  async #pass(signal: AbortSignal): Promise<void> {
    const { engine, clock, onObserved } = this.#options;
    const busyBefore = this.#inFlight.snapshot();
    const seen = await engine.observe(this.#projects(), signal);
    signal.throwIfAborted();
    this.#engineAnswers();
    const observed = { ...seen, replicas: this.#withReadiness(seen.replicas) };
    this.#observed = observed;
    const inFlight = busyInEither(busyBefore, this.#inFlight.snapshot());
    this.#countFailures(observed, inFlight);

    const plan = reconcile({
      nowMs: clock.nowMs(),
      desired: this.#desired.all,
      observed,
      inFlight,
      attempts: this.#attempts,
    });
    this.#holds = plan.holds;
    this.#execute(plan);
    this.#finishRemovals(observed, plan);
    onObserved(observed);
  }

  #execute(plan: Plan): void {
    if (plan.actions.length === 0) return;
    this.#inFlight.add(plan);
    const execution = execute(plan, {
      perform: (action, created) => {
        const project = this.#projectOf(action);
        const service =
          "service" in action ? project.services.find(({ id }) => id === action.service) : undefined;
        const context = {
          project,
          ...(service === undefined ? {} : { service }),
          ...(created === undefined ? {} : { createdReplica: created }),
        };
        return this.#options.engine.perform(action, context, this.#abort.signal);
      },
      onResult: (result) => this.#actionEnded(result),
      parallelism: PARALLEL_ACTIONS,
      monotonicMs: () => this.#options.clock.monotonicMs(),
    });
    this.#executions.add(execution);
    void execution.finally(() => this.#executions.delete(execution));
  }

  #actionEnded(result: ActionResult): void {
    const { action, outcome, error, tookMs } = result;
    const { log, clock, onAction } = this.#options;
    this.#inFlight.finish(action);
    const about = { action: describeAction(action), cause: action.cause, tookMs: Math.round(tookMs) };
    if (outcome === "done") {
      log.info(about, "action done");
      // A slot is forgiven when its replica has run for a while, not because it could be started.
      if (!bringsReplica(action)) this.#attempts.delete(attemptKeyOf(action));
    } else if (outcome === "failed" && !this.#abort.signal.aborted) {
      log.error({ ...about, err: error }, "action failed");
      const failure = { nowMs: clock.nowMs(), reason: messageOf(error) };
      const key = attemptKeyOf(action);
      this.#attempts.set(key, failedAgain(this.#attempts.get(key), failure));
    }
    onAction(result);
    this.#loop.nudge();
  }

  /** Replicas with what their probes say, and since when they are ready. */
  #withReadiness(replicas: readonly ObservedReplica[]): readonly ObservedReplica[] {
    const services = new Map(this.services.map((service) => [service.id, service]));
    const nowMs = this.#options.clock.nowMs();
    const ready = new Set<string>();
    const result = this.#probes.apply(replicas, services).map((replica) => {
      if (replica.state !== "running") return replica;
      const key = `${replica.id} ${replica.startedAtMs ?? ""}`;
      ready.add(key);
      const readyAtMs = this.#readyAtMs.get(key) ?? nowMs;
      this.#readyAtMs.set(key, readyAtMs);
      return { ...replica, readyAtMs };
    });
    for (const key of this.#readyAtMs.keys()) if (!ready.has(key)) this.#readyAtMs.delete(key);
    return result;
  }

  /** Counts each end of a replica once, unless we ended it, and forgets those of slots that are steady since. */
  #countFailures(observed: ObservedState, inFlight: InFlight): void {
    for (const replica of observed.replicas) {
      const key = slotKey(replica.service, replica.slot);
      if (inFlight.arriving.has(key) || inFlight.leaving.has(key)) continue;
      if (replica.state === "exited") {
        const run = `${replica.id} ${replica.startedAtMs ?? ""}`;
        if (this.#countedExits.get(key) === run) continue;
        this.#countedExits.set(key, run);
        const delayMs = this.service(replica.service)?.template.restart.delayMs;
        const failure = {
          nowMs: observed.atMs,
          reason: replica.exitCode === undefined ? "it ended" : `it ended with status ${replica.exitCode}`,
          ...(delayMs === undefined ? {} : { delayMs }),
        };
        this.#attempts.set(key, failedAgain(this.#attempts.get(key), failure));
      } else if (replica.readyAtMs !== undefined && observed.atMs - replica.readyAtMs >= STEADY_MS) {
        this.#attempts.delete(key);
        this.#countedExits.delete(key);
      }
    }
  }

  #finishRemovals(observed: ObservedState, plan: Plan): void {
    if (!observed.complete || plan.actions.length > 0 || this.#executions.size > 0) return;
    for (const { project, removing } of this.#desired.all) {
      const remains =
        observed.replicas.some((replica) => replica.project === project.name) ||
        project.networks.some(({ name, external }) => !external && observed.networks.includes(name));
      if (removing && !remains) this.#desired.finishRemoval(project.name);
    }
  }

  async #toApply(project: Project, signal: AbortSignal): Promise<DesiredProject> {
    const forEngine = this.#options.engine.kind === "docker" ? project : asProcesses(project);
    const observed = await this.#options.engine.observe([forEngine], signal);
    const found = new Map<ServiceId, number>();
    for (const { service, state } of observed.replicas) {
      if (state === "stopping" || state === "exited" || state === "created") continue;
      found.set(service, (found.get(service) ?? 0) + 1);
    }
    return this.#desired.withProject(forEngine, found);
  }

  async #planFor(desired: readonly DesiredProject[], signal: AbortSignal): Promise<Plan> {
    const observed = await this.#options.engine.observe(
      desired.map(({ project }) => project),
      signal,
    );
    return reconcile({
      nowMs: this.#options.clock.nowMs(),
      desired,
      observed,
      inFlight: this.#inFlight.snapshot(),
      attempts: this.#attempts,
    });
  }

  #projects(): readonly Project[] {
    return this.#desired.all.map(({ project }) => project);
  }

  #projectOf(action: Plan["actions"][number]): Project {
    const projects = this.#projects();
    const found = projects.find((project) => {
      if ("project" in action) return project.name === action.project;
      if ("image" in action) return project.services.some(({ template }) => template.image === action.image);
      const replica = this.#observed?.replicas.find(
        (one) => "replica" in action && one.id === action.replica,
      );
      return replica?.project === project.name || project.services.some(({ id }) => id === action.service);
    });
    if (found === undefined) throw new FlyballError("INTERNAL", `no project for ${describeAction(action)}`);
    return found;
  }

  #passFailed(error: unknown): void {
    const trouble = messageOf(error);
    if (this.#engineTrouble !== trouble)
      this.#options.log.error({ err: error }, "the engine cannot be observed");
    this.#engineTrouble = trouble;
  }

  #engineAnswers(): void {
    if (this.#engineTrouble !== undefined) this.#options.log.info("the engine answers again");
    this.#engineTrouble = undefined;
  }
}
