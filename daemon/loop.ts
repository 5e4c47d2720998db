import { Discovery } from "../api/discovery/discovery.ts";
import { DaemonMetrics } from "../api/metrics.ts";
import { type ServiceFacts, serviceView } from "../api/views.ts";
import type { Batch } from "../collector/batch.ts";
import { collectorSettings } from "../collector/from-config.ts";
import { Levels } from "../collector/levels.ts";
import { Minutes } from "../collector/minutes.ts";
import { type ReplicaCapacity, ServiceSeries, serviceReading } from "../collector/service-series.ts";
import { type Collector, startCollector } from "../collector/supervisor.ts";
import { cpuCapacityCores, memoryCapacityBytes } from "../core/capacity.ts";
import { systemClock } from "../core/clock.ts";
import type { Config } from "../core/config.ts";
import type { Log } from "../core/log.ts";
import { STALE_AFTER_MS } from "../core/staleness.ts";
import type { Store } from "../core/store.ts";
import type { ObservedState, Project, Service } from "../core/types.ts";
import { HOUR_MS, SECOND_MS } from "../core/units.ts";
import { Caretaker } from "../orchestrator/caretaker.ts";
import type { Engine } from "../orchestrator/engine.ts";
import { Jobs } from "../orchestrator/jobs/jobs.ts";
import { Orchestrator } from "../orchestrator/orchestrator.ts";
import { targetOf } from "../orchestrator/target.ts";
import type { LevelReader } from "../scaler/observe.ts";
import { queryPrometheus } from "../scaler/prometheus/query.ts";
import { QueryWatcher } from "../scaler/prometheus/watcher.ts";
import { Scaler } from "../scaler/scaler.ts";
import { Traffic } from "../traffic/traffic.ts";
import type { Broadcast } from "./broadcast.ts";
import { loadOf, withTraffic } from "./traffic-figures.ts";
import { maySleep, withDependents } from "./wakefulness.ts";

const SAMPLE_INTERVAL_MS = SECOND_MS;

export interface LoopOptions {
  readonly store: Store;
  readonly engine: Engine;
  readonly log: Log;
  readonly config: Config;
  /** Absent: nobody can listen. */
  readonly broadcast?: Broadcast;
  /** Each second, whether or not there was something to decide, and when replicas have come or gone. */
  readonly onLooked?: () => void;
}

/** Passes values from room to room: what the collector reads to the scaler, what the scaler decides to the orchestrator. */
export class ControlLoop implements AsyncDisposable {
  readonly engine: Engine;
  readonly care: Caretaker;
  readonly orchestrator: Orchestrator;
  readonly jobs: Jobs;
  readonly scaler: Scaler;
  readonly minutes: Minutes;
  readonly metrics: DaemonMetrics;
  readonly discovery = new Discovery(() => this.orchestrator.services);
  readonly traffic: Traffic;
  /** Absent: the configuration names no Prometheus. */
  readonly queries: QueryWatcher | undefined;
  readonly #log: Log;
  readonly #broadcast: Broadcast | undefined;
  readonly #onLooked: (() => void) | undefined;
  readonly #levels = new Levels();
  readonly #serviceSeries = new ServiceSeries();
  readonly #running = new AsyncDisposableStack();
  #collector: Collector | undefined;
  #targets = "";
  #evaluatedAtMs = 0;

  constructor({ store, engine, log, config, broadcast, onLooked }: LoopOptions) {
    const { prometheus, dataDirectory } = config;
    this.traffic = new Traffic({
      ...config.traffic,
      dataDirectory,
      clock: systemClock,
      log,
      onWaiting: () => this.#evaluate(this.orchestrator.services.filter(maySleep)),
    });
    this.engine = engine;
    this.#log = log;
    this.#broadcast = broadcast;
    this.#onLooked = onLooked;
    this.minutes = new Minutes({ store, series: this.#serviceSeries, log });
    this.scaler = new Scaler({
      store,
      log,
      firstRun: config.scaler.firstRun,
      pastDemand: (service, rule) => this.minutes.demand(service, rule, systemClock.nowMs()),
    });
    if (prometheus !== undefined) {
      const ask = (expression: string, signal: AbortSignal) =>
        queryPrometheus(prometheus, expression, signal);
      this.queries = this.#running.use(new QueryWatcher({ ask, clock: systemClock, log }));
    }
    this.metrics = new DaemonMetrics({
      services: () => this.views(),
      collector: () => this.#collector,
      jobs: () => this.jobs.list(),
      traffic: () => this.traffic.readings(),
      holds: () => this.orchestrator.services.flatMap(({ id }) => this.orchestrator.holdListOf(id)),
    });
    this.jobs = new Jobs({
      engine,
      store,
      clock: systemClock,
      log,
      projects: () => this.#projectsWithServices(),
      onOver: ({ service, state }) => this.metrics.jobs.over(service, state),
    });
    const projects = () => this.orchestrator.projects;
    this.care = new Caretaker({ engine, store, clock: systemClock, log, projects });
    this.orchestrator = new Orchestrator({
      scenes: this.care.scenes,
      beforeStop: (replica, ...within) => {
        this.discovery.leaves(replica);
        return this.traffic.drain(replica, ...within);
      },
      capacity: { ...engine.machine, overcommitRatio: config.overcommit },
      trafficOf: (id) => this.traffic.readings().find(({ replica }) => replica === id),
      circumstances: () => ({
        load: loadOf(this.#levels.cores, this.traffic.readings()),
        succeededJobs: this.jobs.succeeded,
      }),
      engine,
      store,
      clock: systemClock,
      log,
      onObserved: (observed) => this.#observed(observed),
      onAction: (result) => {
        this.metrics.acted(result.action.kind, result.outcome);
        broadcast?.acted(result);
      },
      onExternalChange: (service) => this.scaler.forget(service),
    });
  }

  async start(config: Config): Promise<void> {
    // After the collector and the orchestrator: by then nothing more is evaluated.
    this.#running.defer(() => this.scaler.close());
    const collector = await startCollector({
      ...collectorSettings(config, this.engine.kind),
      dataDirectory: config.dataDirectory,
      intervalMs: SAMPLE_INTERVAL_MS,
      clock: systemClock,
      log: this.#log,
      onBatch: (batch) => this.#sampled(batch),
    });
    this.#collector = this.#running.use(collector);
    this.#running.use(this.care);
    this.#running.use(this.traffic);
    this.traffic.start();
    this.#running.use(this.orchestrator);
    this.#running.use(this.jobs);
    this.orchestrator.start();
    // While the collector is silent the scaler still looks, and says that it sees nothing.
    const overdue = setInterval(() => {
      if (systemClock.monotonicMs() - this.#evaluatedAtMs > 1.5 * SAMPLE_INTERVAL_MS) this.#evaluateAll();
    }, SAMPLE_INTERVAL_MS);
    const pruning = setInterval(() => {
      this.scaler.prune(systemClock.nowMs());
      this.minutes.prune(systemClock.nowMs());
    }, HOUR_MS);
    this.#running.defer(() => {
      clearInterval(overdue);
      clearInterval(pruning);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running.disposeAsync();
  }

  get collectorState(): Collector["state"] {
    return this.#collector?.state ?? "dead";
  }

  desired(service: Service): number {
    return this.orchestrator.desiredReplicas(service.id) ?? service.initialReplicas;
  }

  views() {
    return this.orchestrator.services.map((service) => serviceView(this.factsOf(service)));
  }

  factsOf(service: Service): ServiceFacts {
    const nowMs = systemClock.nowMs();
    return {
      service,
      desired: this.desired(service),
      replicas: this.orchestrator.replicasOf(service.id),
      mode: this.scaler.modeOf(service.id),
      newest: ({ id }) => {
        const sample = this.#levels.newest(id);
        return sample !== undefined && nowMs - sample.readAtMs <= STALE_AFTER_MS ? sample : undefined;
      },
      lastDecision: this.scaler.latest(service.id),
      holds: this.orchestrator.holdsOf(service.id),
    };
  }

  #observed(observed: ObservedState): void {
    this.care.observed(observed);
    this.discovery.observed(observed);
    const { services: wanted, trials } = this.orchestrator;
    const shares = new Map(
      wanted.flatMap(({ id }) => {
        const ofService = trials.sharesOf(id);
        return ofService === undefined ? [] : [[id, ofService] as const];
      }),
    );
    this.traffic.update({ ...observed, services: wanted, shares });
    this.jobs.observed(observed);
    const readable = observed.replicas.filter(({ pid, state }) => pid !== undefined && state !== "exited");
    const services = new Map(this.orchestrator.services.map((service) => [service.id, service]));
    const targets = readable.map((replica) =>
      targetOf(replica, services.get(replica.service), this.engine.kind),
    );
    const key = JSON.stringify(targets);
    if (key === this.#targets) return;
    this.#targets = key;
    this.#collector?.setTargets(targets);
    const known = new Set(targets.map(({ replica }) => replica));
    this.#levels.keepOnly(known);
    this.#onLooked?.();
  }

  /** Of one that is being removed no service is wanted any more. */
  #projectsWithServices(): readonly Project[] {
    return this.orchestrator.projects.map((project) => ({
      ...project,
      services: project.services.filter(({ id }) => this.orchestrator.service(id) !== undefined),
    }));
  }

  #sampled(batch: Batch): void {
    this.metrics.batchReceived();
    const read = withTraffic(batch.samples, this.traffic.readings(), batch.readAtMs);
    for (const sample of read) this.#levels.append(sample);
    const replicas = this.orchestrator.observed?.replicas ?? [];
    const serviceOf = new Map(replicas.map(({ id, service }) => [id, service]));
    const samples = Map.groupBy(read, ({ replica }) => serviceOf.get(replica));
    for (const service of this.orchestrator.services) {
      const reading = serviceReading(samples.get(service.id) ?? [], capacityOf(service));
      if (reading !== undefined) this.#serviceSeries.append(service.id, batch.readAtMs, reading);
    }
    this.minutes.tick(batch.readAtMs);
    this.#evaluateAll();
    this.#broadcast?.measured(() => this.orchestrator.services.map((service) => this.factsOf(service)));
  }

  #evaluateAll(): void {
    this.#evaluatedAtMs = systemClock.monotonicMs();
    const { services } = this.orchestrator;
    const rules = services.flatMap(({ scaling }) => scaling?.rules ?? []);
    this.queries?.setExpressions(rules.flatMap(({ expression }) => expression ?? []));
    this.#evaluate(services);
    this.#onLooked?.();
  }

  #evaluate(services: readonly Service[]): void {
    // Before the engine was seen nothing is known of what serves, and nothing can be decided about it.
    if (this.orchestrator.observed === undefined) return;
    const signs = withDependents(this.orchestrator.services, this.traffic.signsOfUse(), (one) =>
      this.desired(one),
    );
    const subjects = services.map((service) => {
      const noRoom = this.orchestrator.shortOf(service.id);
      const used = signs.get(service.id);
      return {
        service,
        desired: this.desired(service),
        replicas: this.orchestrator.replicasOf(service.id),
        ...(noRoom === undefined ? {} : { noRoom }),
        ...(used === undefined ? {} : { signsOfUse: used }),
      };
    });
    const decisions = this.scaler.evaluate(subjects, this.#levelReader(), systemClock.nowMs());
    this.#broadcast?.decided(decisions);
    for (const { service, from, to, sentence } of decisions) {
      this.metrics.evaluated(service, from, to);
      if (to === from) continue;
      this.#log.info({ service, from, to }, sentence);
      try {
        this.orchestrator.setReplicas(service, to, "rules");
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
          ? levels.latency(this.orchestrator.replicasOf(id), fromMs, toMs)
          : this.queries?.reading(expression ?? "", fromMs, toMs),
    };
  }
}

function capacityOf({ template: { resources } }: Service): ReplicaCapacity {
  const memoryBytes = memoryCapacityBytes(resources);
  return { cpuCores: cpuCapacityCores(resources), ...(memoryBytes === undefined ? {} : { memoryBytes }) };
}
