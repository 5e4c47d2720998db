import type { Control } from "./api/control.ts";
import { type HistorySpan, historyView } from "./api/history.ts";
import { DaemonMetrics } from "./api/metrics.ts";
import { startApi } from "./api/server.ts";
import { type ServiceFacts, serviceDetail, serviceView } from "./api/views.ts";
import type { Batch } from "./collector/batch.ts";
import { type AgentOptions, agentSettings, collectorSettings } from "./collector/from-config.ts";
import { becomeAgent } from "./collector/launch.ts";
import { Levels } from "./collector/levels.ts";
import { Minutes } from "./collector/minutes.ts";
import { type ReplicaCapacity, ServiceSeries, serviceReading } from "./collector/service-series.ts";
import { type Collector, startCollector } from "./collector/supervisor.ts";
import { cpuCapacityCores, memoryCapacityBytes } from "./core/capacity.ts";
import { systemClock } from "./core/clock.ts";
import type { Config } from "./core/config.ts";
import type { Diagnostic } from "./core/diagnostics.ts";
import { FlyballError } from "./core/errors.ts";
import type { Log } from "./core/log.ts";
import { keepHeapSmall } from "./core/small-heap.ts";
import { Store } from "./core/store.ts";
import type { ObservedState, Service } from "./core/types.ts";
import { HOUR_MS, SECOND_MS } from "./core/units.ts";
import type {
  AutoscaleAnswer,
  AutoscaleRequest,
  ProjectAnswer,
  ProjectRequest,
  Readiness,
  ScaleAnswer,
  ScaleRequest,
} from "./core/wire.ts";
import { Caretaker } from "./orchestrator/caretaker.ts";
import type { LoadOptions } from "./orchestrator/compose/load.ts";
import type { FilesToDiagnose } from "./orchestrator/doctor/files.ts";
import type { Engine } from "./orchestrator/engine.ts";
import { openEngine } from "./orchestrator/open-engine.ts";
import { Orchestrator } from "./orchestrator/orchestrator.ts";
import { planLines, projectAnswer } from "./orchestrator/project-answer.ts";
import { targetOf } from "./orchestrator/target.ts";
import type { Backtest, BacktestRequest } from "./scaler/backtest/run.ts";
import { STALE_AFTER_MS } from "./scaler/decide.ts";
import type { LevelReader } from "./scaler/observe.ts";
import { policyChanges } from "./scaler/policy-change.ts";
import { queryPrometheus } from "./scaler/prometheus/query.ts";
import { QueryWatcher } from "./scaler/prometheus/watcher.ts";
import { Scaler } from "./scaler/scaler.ts";

const SAMPLE_INTERVAL_MS = SECOND_MS;

export interface RunningDaemon extends AsyncDisposable {
  readonly address: Config["listen"];
}

/**
 * Builds every room from the config and starts them in order; disposing stops them in the reverse order and leaves
 * the replicas running. What was started is stopped again when a later room cannot start.
 */
export async function startDaemon(options: { config: Config; log: Log }): Promise<RunningDaemon> {
  const { config, log } = options;
  keepHeapSmall();
  await using started = new AsyncDisposableStack();
  const store = started.use(new Store(config.dataDirectory));
  const engine = started.use(await openEngine(config, store, log));
  const daemon = new Daemon({ store, engine, log, config });
  started.use(daemon);
  await daemon.start(config);
  const api = started.use(
    await startApi({
      control: daemon,
      listen: config.listen,
      log,
      ...(config.token === undefined ? {} : { token: config.token }),
    }),
  );
  log.info({ engine: engine.description, dataDirectory: config.dataDirectory }, "flyball serves");

  const running = started.move();
  return { address: api.address, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** The compose files as a project that a daemon can be given. @throws FlyballError COMPOSE_… */
export async function readCompose(
  options: LoadOptions,
): Promise<{ name: string; request: ProjectRequest; diagnostics: readonly Diagnostic[] }> {
  const { loadProject, toRequestModel } = await composeRoom();
  const { project, source, diagnostics } = await loadProject(options);
  const request = {
    compose: toRequestModel(project),
    workingDirectory: source.projectDirectory,
    composeFiles: [...source.files],
  };
  return { name: project.name, request, diagnostics };
}

/** What `applyProject` would do, without a daemon: the engine is looked at, and nothing is changed. */
export async function planWithoutDaemon(options: {
  config: Config;
  log: Log;
  name: string;
  request: ProjectRequest;
}): Promise<ProjectAnswer> {
  const { config, log, name, request } = options;
  await using opened = new AsyncDisposableStack();
  const store = opened.use(new Store(config.dataDirectory));
  const engine = opened.use(await openEngine(config, store, log));
  const daemon = opened.use(new Daemon({ store, engine, log, config }));
  return await daemon.planProject(name, request);
}

/** Loaded when it is asked for: a daemon never needs it. @throws FlyballError COMPOSE_INVALID */
export async function diagnoseFiles(files: FilesToDiagnose) {
  return (await import("./orchestrator/doctor/files.ts")).diagnoseFiles(files);
}

/** This process goes on as the collector alone, on the engine that the settings name, else on any of this machine. */
export function startAgent(options: AgentOptions): void {
  becomeAgent(agentSettings(options, process.env["XDG_RUNTIME_DIR"]), options.config.dataDirectory);
}

/** Loaded when it is asked for: a daemon never needs it. @throws FlyballError CONFIG_INVALID, LABEL_INVALID */
export async function runBacktest(request: BacktestRequest): Promise<Backtest> {
  const { backtest } = await import("./scaler/backtest/run.ts");
  return backtest(request);
}

/** Loaded when a project is given: a daemon that only goes on with what it knows does without its 8 MB. */
async function composeRoom() {
  const [loader, requests] = await Promise.all([
    import("./orchestrator/compose/load.ts"),
    import("./orchestrator/project-request.ts"),
  ]);
  return { ...loader, ...requests };
}

/** Passes values from room to room, and answers the API. */
class Daemon implements Control, AsyncDisposable {
  readonly care: Caretaker;
  readonly #engine: Engine;
  readonly #log: Log;
  readonly #config: Config;
  readonly #orchestrator: Orchestrator;
  readonly #scaler: Scaler;
  readonly #levels = new Levels();
  readonly #serviceSeries = new ServiceSeries();
  readonly #minutes: Minutes;
  readonly #metrics: DaemonMetrics;
  readonly #running = new AsyncDisposableStack();
  #queries: QueryWatcher | undefined;
  #collector: Collector | undefined;
  #targets = "";
  #evaluatedAtMs = 0;

  constructor(options: { store: Store; engine: Engine; log: Log; config: Config }) {
    const { store, engine, log, config } = options;
    const { prometheus } = config;
    this.#engine = engine;
    this.#log = log;
    this.#config = config;
    this.#minutes = new Minutes({ store, series: this.#serviceSeries, log });
    this.#scaler = new Scaler({
      store,
      log,
      firstRun: config.scaler.firstRun,
      pastDemand: (service, rule) => this.#minutes.demand(service, rule, systemClock.nowMs()),
    });
    if (prometheus !== undefined) {
      const ask = (expression: string, signal: AbortSignal) =>
        queryPrometheus(prometheus, expression, signal);
      this.#queries = this.#running.use(new QueryWatcher({ ask, clock: systemClock, log }));
    }
    this.#metrics = new DaemonMetrics({
      services: () => this.services(),
      collector: () => this.#collector,
    });
    const projects = () => this.#orchestrator.projects;
    this.care = new Caretaker({ engine, store, clock: systemClock, log, projects });
    this.#orchestrator = new Orchestrator({
      scenes: this.care.scenes,
      capacity: { ...engine.machine, overcommitRatio: config.overcommit },
      load: () => this.#levels.cores,
      engine,
      store,
      clock: systemClock,
      log,
      onObserved: (observed) => this.#observed(observed),
      onAction: ({ action, outcome }) => this.#metrics.acted(action.kind, outcome),
      onExternalChange: (service) => this.#scaler.forget(service),
    });
  }

  async start(config: Config): Promise<void> {
    // After the collector and the orchestrator: by then nothing more is evaluated.
    this.#running.defer(() => this.#scaler.close());
    const collector = await startCollector({
      ...collectorSettings(config, this.#engine.kind),
      dataDirectory: config.dataDirectory,
      intervalMs: SAMPLE_INTERVAL_MS,
      clock: systemClock,
      log: this.#log,
      onBatch: (batch) => this.#sampled(batch),
    });
    this.#collector = this.#running.use(collector);
    this.#running.use(this.care);
    this.#running.use(this.#orchestrator);
    this.#orchestrator.start();
    // While the collector is silent the scaler still looks, and says that it sees nothing.
    const overdue = setInterval(() => {
      if (systemClock.monotonicMs() - this.#evaluatedAtMs > 1.5 * SAMPLE_INTERVAL_MS) this.#evaluate();
    }, SAMPLE_INTERVAL_MS);
    const pruning = setInterval(() => {
      this.#scaler.prune(systemClock.nowMs());
      this.#minutes.prune(systemClock.nowMs());
    }, HOUR_MS);
    this.#running.defer(() => {
      clearInterval(overdue);
      clearInterval(pruning);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running.disposeAsync();
  }

  // -------------------------------------------------------------------------------------------------------------
  // Collector → scaler → orchestrator
  // -------------------------------------------------------------------------------------------------------------

  #observed(observed: ObservedState): void {
    this.care.observed(observed);
    const readable = observed.replicas.filter(({ pid, state }) => pid !== undefined && state !== "exited");
    const services = new Map(this.#orchestrator.services.map((service) => [service.id, service]));
    const targets = readable.map((replica) =>
      targetOf(replica, services.get(replica.service), this.#engine.kind),
    );
    const key = JSON.stringify(targets);
    if (key === this.#targets) return;
    this.#targets = key;
    this.#collector?.setTargets(targets);
    const known = new Set(targets.map(({ replica }) => replica));
    this.#levels.keepOnly(known);
  }

  #sampled(batch: Batch): void {
    this.#metrics.batchReceived();
    for (const sample of batch.samples) {
      this.#levels.append(sample);
    }
    const replicas = this.#orchestrator.observed?.replicas ?? [];
    const serviceOf = new Map(replicas.map(({ id, service }) => [id, service]));
    const samples = Map.groupBy(batch.samples, ({ replica }) => serviceOf.get(replica));
    for (const service of this.#orchestrator.services) {
      const reading = serviceReading(samples.get(service.id) ?? [], capacityOf(service));
      if (reading !== undefined) this.#serviceSeries.append(service.id, batch.readAtMs, reading);
    }
    this.#minutes.tick(batch.readAtMs);
    this.#evaluate();
  }

  #evaluate(): void {
    this.#evaluatedAtMs = systemClock.monotonicMs();
    // Before the engine was seen nothing is known of what serves, and nothing can be decided about it.
    if (this.#orchestrator.observed === undefined) return;
    const subjects = this.#orchestrator.services.map((service) => ({
      service,
      desired: this.#desired(service),
      replicas: this.#orchestrator.replicasOf(service.id),
    }));
    const rules = subjects.flatMap(({ service }) => service.scaling?.rules ?? []);
    this.#queries?.setExpressions(rules.flatMap(({ expression }) => expression ?? []));
    const decisions = this.#scaler.evaluate(subjects, this.#levelReader(), systemClock.nowMs());
    for (const { service, from, to, sentence } of decisions) {
      this.#metrics.evaluated(service, from, to);
      if (to === from) continue;
      this.#log.info({ service, from, to }, sentence);
      try {
        this.#orchestrator.setReplicas(service, to, "rules");
      } catch (error) {
        this.#log.error({ err: error, service }, "the decision could not be kept, and is not acted on");
      }
    }
  }

  #levelReader(): LevelReader {
    const levels = this.#levels;
    return {
      ofReplica: (...query) => levels.ofReplica(...query),
      heldBack: (...query) => levels.heldBack(...query),
      ofService: ({ id }, { metric, expression }, fromMs, toMs) =>
        metric === "latency"
          ? levels.latency(this.#orchestrator.replicasOf(id), fromMs, toMs)
          : this.#queries?.reading(expression ?? "", fromMs, toMs),
    };
  }

  // -------------------------------------------------------------------------------------------------------------
  // What the API asks
  // -------------------------------------------------------------------------------------------------------------

  get deployments(): Orchestrator {
    return this.#orchestrator;
  }

  readiness(): Readiness {
    const observed = this.#orchestrator.observed;
    const trouble = this.#orchestrator.engineTrouble;
    return {
      ready: observed !== undefined && trouble === undefined,
      engine: trouble ?? this.#engine.description,
      collector: this.#collector?.state ?? "dead",
      ...(observed === undefined ? {} : { observedAtMs: observed.atMs }),
    };
  }

  services() {
    return this.#orchestrator.services.map((service) => serviceView(this.#facts(service)));
  }

  service(id: string) {
    return serviceDetail(this.#facts(this.#find(id)));
  }

  decisions(id: string, query: { limit: number; changesOnly: boolean }) {
    return this.#scaler.decisions(this.#find(id).id, query);
  }

  explain(id: string, atMs: number | undefined) {
    const troubleOf = (expression: string) =>
      this.#queries === undefined
        ? "the configuration names no prometheus"
        : this.#queries.trouble(expression)?.message;
    return this.#scaler.explain(this.#find(id), atMs, troubleOf);
  }

  history(id: string, span: HistorySpan) {
    const service = this.#find(id);
    const read = (fromMs: number, toMs: number) => this.#minutes.read(id, fromMs, toMs);
    return historyView({ service, startupMs: this.#scaler.startupMsOf(id), read }, span, systemClock.nowMs());
  }

  verifyDecisions(id: string) {
    return this.#scaler.verify(this.#find(id).id);
  }

  setAutoscale(id: string, request: AutoscaleRequest): AutoscaleAnswer {
    const mode = this.#scaler.setMode(this.#find(id), request.mode);
    if (mode === "live") this.#orchestrator.ownership.asked(id, "rules");
    this.#log.info({ service: id, mode }, "autoscaling was set by hand");
    return { service: id, mode };
  }

  async scale(id: string, request: ScaleRequest): Promise<ScaleAnswer> {
    const service = this.#find(id);
    const { replicas: to, reason } = request;
    const { minReplicas = 0, maxReplicas = to } = service.scaling ?? {};
    if (to < minReplicas || to > maxReplicas) {
      throw new FlyballError(
        "OUT_OF_BOUNDS",
        `expected ${minReplicas} to ${maxReplicas} replicas of ${service.id}, its autoscale.min and .max, got ${to}`,
      );
    }
    const from = this.#desired(service);
    this.#orchestrator.setReplicas(service.id, to);
    // The rules start afresh from the count that a person chose, with a whole stabilization window before them.
    this.#scaler.forget(service.id);
    this.#orchestrator.ownership.scaledByHand(service, { from, to, reason }, systemClock.nowMs());
    this.#log.info({ service: service.id, from, to, reason }, "scaled by hand");
    return { service: service.id, from, to };
  }

  async applyProject(name: string, request: ProjectRequest): Promise<ProjectAnswer> {
    const { project, diagnostics } = await this.#read(name, request);
    return projectAnswer(project, diagnostics, await this.#orchestrator.applyProject(project));
  }

  async planProject(name: string, request: ProjectRequest): Promise<ProjectAnswer> {
    const { project, diagnostics } = await this.#read(name, request);
    const answer = projectAnswer(project, diagnostics, await this.#orchestrator.planProject(project));
    const scalingChanges = policyChanges(project.services, (id) => this.#orchestrator.service(id));
    return { ...answer, scalingChanges };
  }

  async removeProject(name: string): Promise<ProjectAnswer> {
    const plan = await this.#orchestrator.removeProject(name);
    return { project: name, services: [], diagnostics: [], ...planLines(plan) };
  }

  audit(limit: number) {
    return this.#orchestrator.ownership.audit.list(limit, systemClock.nowMs());
  }

  metrics() {
    return this.#metrics.render();
  }

  async #read(name: string, request: ProjectRequest) {
    const { readProjectRequest } = await composeRoom();
    const { project, diagnostics } = await readProjectRequest(name, request, {
      ...(this.#config.autoscale === undefined ? {} : { defaults: this.#config.autoscale }),
      hasPrometheus: this.#config.prometheus !== undefined,
    });
    const all = [...diagnostics, ...this.#engine.check(project)];
    const errors = all.filter((diagnostic) => diagnostic.severity === "error");
    if (errors.length > 0) {
      const problems = errors.map(({ path, message }) => ({ at: path, message }));
      throw new FlyballError("COMPOSE_INVALID", `project ${name} cannot run on this engine`, { problems });
    }
    return { project, diagnostics: all };
  }

  #find(id: string): Service {
    const service = this.#orchestrator.service(id);
    if (service === undefined) throw new FlyballError("NOT_FOUND", `there is no service ${id}`);
    return service;
  }

  #desired(service: Service): number {
    return this.#orchestrator.desiredReplicas(service.id) ?? service.initialReplicas;
  }

  #facts(service: Service): ServiceFacts {
    const nowMs = systemClock.nowMs();
    return {
      service,
      desired: this.#desired(service),
      replicas: this.#orchestrator.replicasOf(service.id),
      newest: ({ id }) => {
        const sample = this.#levels.newest(id);
        return sample !== undefined && nowMs - sample.readAtMs <= STALE_AFTER_MS ? sample : undefined;
      },
      lastDecision: this.#scaler.latest(service.id),
      holds: this.#orchestrator.holdsOf(service.id),
    };
  }
}

function capacityOf({ template: { resources } }: Service): ReplicaCapacity {
  const memoryBytes = memoryCapacityBytes(resources);
  return { cpuCores: cpuCapacityCores(resources), ...(memoryBytes === undefined ? {} : { memoryBytes }) };
}
