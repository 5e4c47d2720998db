import { Tokens } from "../api/access/tokens.ts";
import { Writes } from "../api/access/writes.ts";
import type { AccessControl } from "../api/access-control.ts";
import type { AlertControl } from "../api/alert-control.ts";
import type { Control } from "../api/control.ts";
import type { Discovery } from "../api/discovery/discovery.ts";
import { type HistorySpan, historyView } from "../api/history.ts";
import type { LogsQuery } from "../api/job-control.ts";
import { serviceDetail } from "../api/views.ts";
import { systemClock } from "../core/clock.ts";
import type { Config } from "../core/config.ts";
import { FlyballError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { Store } from "../core/store.ts";
import type { Service } from "../core/types.ts";
import { parseDurationMs, SECOND_MS } from "../core/units.ts";
import type {
  AutoscaleAnswer,
  AutoscaleRequest,
  ProjectAnswer,
  ProjectRequest,
  Readiness,
  ScaleAnswer,
  ScaleRequest,
} from "../core/wire.ts";
import type { LogsAnswer } from "../core/wire-jobs.ts";
import type { Caretaker } from "../orchestrator/caretaker.ts";
import type { Jobs } from "../orchestrator/jobs/jobs.ts";
import type { Orchestrator } from "../orchestrator/orchestrator.ts";
import { planLines, projectAnswer } from "../orchestrator/project-answer.ts";
import { replicaLog } from "../orchestrator/replica-log.ts";
import { policyChanges } from "../scaler/policy-change.ts";
import { composeRoom } from "./compose-room.ts";
import type { ControlLoop } from "./loop.ts";

const LOG_DEADLINE_MS = 10 * SECOND_MS;

/** What the API asks, answered by the rooms that know. */
export class Answers implements Control {
  readonly access: AccessControl;
  readonly alerts: AlertControl;
  readonly #loop: ControlLoop;
  readonly #config: Config;
  readonly #log: Log;

  constructor(options: {
    loop: ControlLoop;
    alerts: AlertControl;
    store: Store;
    config: Config;
    log: Log;
  }) {
    const { store, log } = options;
    this.alerts = options.alerts;
    this.access = { tokens: new Tokens(store, systemClock), writes: new Writes(store, systemClock, log) };
    this.#loop = options.loop;
    this.#config = options.config;
    this.#log = options.log;
  }

  get care(): Caretaker {
    return this.#loop.care;
  }

  get deployments(): Orchestrator {
    return this.#loop.orchestrator;
  }

  get jobs(): Jobs {
    return this.#loop.jobs;
  }

  get discovery(): Discovery {
    return this.#loop.discovery;
  }

  readiness(): Readiness {
    const observed = this.#loop.orchestrator.observed;
    const trouble = this.#loop.orchestrator.engineTrouble;
    return {
      ready: observed !== undefined && trouble === undefined,
      engine: trouble ?? this.#loop.engine.description,
      collector: this.#loop.collectorState,
      ...(observed === undefined ? {} : { observedAtMs: observed.atMs }),
    };
  }

  services() {
    return this.#loop.views();
  }

  service(id: string) {
    return serviceDetail(this.#loop.factsOf(this.#find(id)));
  }

  decisions(id: string, query: { limit: number; changesOnly: boolean }) {
    return this.#loop.scaler.decisions(this.#find(id).id, query);
  }

  explain(id: string, atMs: number | undefined) {
    const troubleOf = (expression: string) =>
      this.#loop.queries === undefined
        ? "the configuration names no prometheus"
        : this.#loop.queries.trouble(expression)?.message;
    return this.#loop.scaler.explain(this.#find(id), atMs, troubleOf);
  }

  history(id: string, span: HistorySpan) {
    const service = this.#find(id);
    const read = (fromMs: number, toMs: number) => this.#loop.minutes.read(id, fromMs, toMs);
    return historyView(
      { service, startupMs: this.#loop.scaler.startupMsOf(id), read },
      span,
      systemClock.nowMs(),
    );
  }

  verifyDecisions(id: string) {
    return this.#loop.scaler.verify(this.#find(id).id);
  }

  setAutoscale(id: string, request: AutoscaleRequest): AutoscaleAnswer {
    const mode = this.#loop.scaler.setMode(this.#find(id), request.mode, systemClock.nowMs());
    if (mode === "live") this.#loop.orchestrator.ownership.asked(id, "rules");
    this.#log.info({ service: id, mode }, "autoscaling was set by hand");
    return { service: id, mode };
  }

  async scale(id: string, request: ScaleRequest): Promise<ScaleAnswer> {
    const service = this.#find(id);
    const { replicas: to, reason } = request;
    if (service.job !== undefined) {
      throw new FlyballError("NOT_SCALABLE", `${id} is a job, which has tasks and no replicas: run it`);
    }
    const nowMs = systemClock.nowMs();
    const holdMs = request.for === undefined ? undefined : parseDurationMs(request.for);
    // Without rules nothing goes on by itself, and the count stays as it is set.
    const heldUntilMs = holdMs === undefined || service.scaling === undefined ? undefined : nowMs + holdMs;
    const { minReplicas = 0, maxReplicas = to } = service.scaling ?? {};
    if (to < minReplicas || to > maxReplicas) {
      throw new FlyballError(
        "OUT_OF_BOUNDS",
        `expected ${minReplicas} to ${maxReplicas} replicas of ${service.id}, its autoscale.min and .max, got ${to}`,
      );
    }
    const from = this.#loop.desired(service);
    this.#loop.orchestrator.setReplicas(service.id, to);
    if (heldUntilMs !== undefined) this.#loop.scaler.pauseUntil(service, heldUntilMs);
    // The rules start afresh from the count that a person chose, with a whole stabilization window before them.
    this.#loop.scaler.forget(service.id);
    this.#loop.orchestrator.ownership.scaledByHand(service, { from, to, reason }, nowMs);
    this.#log.info({ service: service.id, from, to, reason }, "scaled by hand");
    return { service: service.id, from, to, ...(heldUntilMs === undefined ? {} : { heldUntilMs }) };
  }

  async applyProject(name: string, request: ProjectRequest): Promise<ProjectAnswer> {
    const { project, diagnostics } = await this.#read(name, request);
    const plan = await this.#loop.orchestrator.applyProject(project, request.trial);
    return projectAnswer(project, diagnostics, plan);
  }

  async planProject(name: string, request: ProjectRequest): Promise<ProjectAnswer> {
    const { project, diagnostics } = await this.#read(name, request);
    const plan = await this.#loop.orchestrator.planProject(project, undefined, request.trial);
    const answer = projectAnswer(project, diagnostics, plan);
    const scalingChanges = policyChanges(project.services, (id) => this.#loop.orchestrator.service(id));
    return { ...answer, scalingChanges };
  }

  async removeProject(name: string): Promise<ProjectAnswer> {
    const plan = await this.#loop.orchestrator.removeProject(name);
    return { project: name, services: [], diagnostics: [], ...planLines(plan) };
  }

  audit(limit: number) {
    return this.#loop.orchestrator.ownership.audit.list(limit, systemClock.nowMs());
  }

  async logs(id: string, { run, lines }: LogsQuery): Promise<LogsAnswer> {
    const service = this.#find(id);
    if (service.job !== undefined) return await this.#loop.jobs.log(id, run);
    if (run !== undefined) throw new FlyballError("NOT_FOUND", `${id} is no job, and has no runs`);
    const signal = AbortSignal.timeout(LOG_DEADLINE_MS);
    const parts = this.#loop.orchestrator.replicasOf(id).map(async ({ id: replica, name }) => {
      return { name, text: await replicaLog(this.#loop.engine, replica, signal, lines) };
    });
    return { service: id, parts: await Promise.all(parts) };
  }

  metrics() {
    return this.#loop.metrics.render();
  }

  async #read(name: string, request: ProjectRequest) {
    const { readProjectRequest } = await composeRoom();
    const { project, diagnostics } = await readProjectRequest(name, request, {
      ...(this.#config.autoscale === undefined ? {} : { defaults: this.#config.autoscale }),
      hasPrometheus: this.#config.prometheus !== undefined,
    });
    const all = [...diagnostics, ...this.#loop.engine.check(project)];
    const errors = all.filter((diagnostic) => diagnostic.severity === "error");
    if (errors.length > 0) {
      const problems = errors.map(({ path, message }) => ({ at: path, message }));
      throw new FlyballError("COMPOSE_INVALID", `project ${name} cannot run on this engine`, { problems });
    }
    return { project, diagnostics: all };
  }

  #find(id: string): Service {
    const service = this.#loop.orchestrator.service(id);
    if (service === undefined) throw new FlyballError("NOT_FOUND", `there is no service ${id}`);
    return service;
  }
}
