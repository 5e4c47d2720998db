import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { Hold, TrafficReading } from "../core/types.ts";
import { SECOND_MS } from "../core/units.ts";
import type { ServiceView } from "../core/wire.ts";
import type { JobAnswer } from "../core/wire-jobs.ts";
import { AlertMetrics } from "./alert-metrics.ts";
import { JobMetrics } from "./job-metrics.ts";
import { ScalingMetrics } from "./scaling-metrics.ts";
import { registerTrafficMetrics } from "./traffic-metrics.ts";

/** What is known of the collector that this daemon runs. */
export interface CollectorFigures {
  readonly restarts: number;
  readonly droppedBatches: number;
  /** Undefined until it was measured. */
  readonly clockOffset: { readonly offsetMs: number; readonly roundTripMs: number } | undefined;
}

/** A family as a page about it tells it. */
export interface DaemonFamily {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
  readonly help: string;
}

/** What the daemon tells Prometheus about itself and the services it looks after. */
export class DaemonMetrics {
  readonly jobs: JobMetrics;
  readonly alerts: AlertMetrics;
  readonly #registry = new Registry();
  readonly #services: () => readonly ServiceView[];
  readonly #scaling: ScalingMetrics;
  readonly #info: Gauge<"service" | "project" | "name">;
  readonly #load: Gauge<"service" | "resource">;
  readonly #replicas: Gauge<"service" | "state">;
  readonly #bounds: Gauge<"service" | "bound">;
  readonly #evaluations: Counter<"service">;
  readonly #changes: Counter<"service" | "direction">;
  readonly #actions: Counter<"kind" | "outcome">;
  readonly #batches: Counter;

  constructor(sources: {
    services: () => readonly ServiceView[];
    collector: () => CollectorFigures | undefined;
    jobs: () => readonly JobAnswer[];
    traffic: () => readonly TrafficReading[];
    /** What is left as it is though it is not as desired. */
    holds: () => readonly Hold[];
  }) {
    const registers = [this.#registry];
    this.jobs = new JobMetrics(this.#registry, sources.jobs);
    registerTrafficMetrics(this.#registry, sources.traffic);
    this.alerts = new AlertMetrics(this.#registry);
    this.#services = sources.services;
    collectDefaultMetrics({ register: this.#registry });
    this.#info = new Gauge({
      name: "flyball_service_info",
      help: "Always 1; carries the project of a service and its name in it.",
      labelNames: ["service", "project", "name"],
      registers,
    });
    this.#load = new Gauge({
      name: "flyball_service_load_ratio",
      help: "What the ready replicas of a service use of what they may use, 0..1, on average: cpu and memory; absent where nothing was read.",
      labelNames: ["service", "resource"],
      registers,
    });
    this.#replicas = new Gauge({
      name: "flyball_service_replicas",
      help: "Replicas of a service: desired, running (not ended) and ready.",
      labelNames: ["service", "state"],
      registers,
    });
    this.#bounds = new Gauge({
      name: "flyball_service_replicas_bound",
      help: "The bounds of a service that scales: min and max.",
      labelNames: ["service", "bound"],
      registers,
    });
    this.#scaling = new ScalingMetrics(this.#registry);
    this.#evaluations = new Counter({
      name: "flyball_evaluations_total",
      help: "Evaluations of a service's scaling rules, those that changed nothing among them.",
      labelNames: ["service"],
      registers,
    });
    this.#changes = new Counter({
      name: "flyball_scalings_total",
      help: "Changes of a service's desired count by its rules.",
      labelNames: ["service", "direction"],
      registers,
    });
    this.#actions = new Counter({
      name: "flyball_actions_total",
      help: "Engine calls, by kind and by how they ended.",
      labelNames: ["kind", "outcome"],
      registers,
    });
    this.#batches = new Counter({
      name: "flyball_sample_batches_total",
      help: "Batches of samples received from the collector.",
      registers,
    });
    const holds = new Gauge({
      name: "flyball_service_holds",
      help: "How much of a service is left as it is though it is not as desired, by why: one for each replica, or one for the service.",
      labelNames: ["service", "reason"],
      registers: [],
      collect() {
        this.reset();
        for (const { service, kind: reason = "other" } of sources.holds()) this.inc({ service, reason });
      },
    });
    const restarts = new Gauge({
      name: "flyball_collector_restarts",
      help: "How often this daemon had to start its collector again.",
      registers: [],
      collect() {
        this.set(sources.collector()?.restarts ?? 0);
      },
    });
    const dropped = new Gauge({
      name: "flyball_collector_dropped_batches",
      help: "Batches that the running collector gave up because they were not taken in time.",
      registers: [],
      collect() {
        this.set(sources.collector()?.droppedBatches ?? 0);
      },
    });
    const clockOffset = new Gauge({
      name: "flyball_collector_clock_offset_seconds",
      help: "How far the clock of the collector's node is ahead of the daemon's; right to within half the round trip.",
      registers: [],
      collect() {
        this.remove();
        const offset = sources.collector()?.clockOffset;
        if (offset !== undefined) this.set(offset.offsetMs / SECOND_MS);
      },
    });
    const roundTrip = new Gauge({
      name: "flyball_collector_round_trip_seconds",
      help: "How long the question for the clock of the collector's node and its answer took.",
      registers: [],
      collect() {
        this.remove();
        const offset = sources.collector()?.clockOffset;
        if (offset !== undefined) this.set(offset.roundTripMs / SECOND_MS);
      },
    });
    for (const gauge of [holds, restarts, dropped, clockOffset, roundTrip])
      this.#registry.registerMetric(gauge);
  }

  evaluated(service: string, from: number, to: number): void {
    this.#evaluations.inc({ service });
    // The first change is a rise only for who has seen the 0 before it.
    for (const direction of ["out", "in"]) this.#changes.inc({ service, direction }, 0);
    if (to !== from) this.#changes.inc({ service, direction: to > from ? "out" : "in" });
  }

  acted(kind: string, outcome: string): void {
    this.#actions.inc({ kind, outcome });
  }

  batchReceived(): void {
    this.#batches.inc();
  }

  /** What there is to tell, but for what Node tells of any process. */
  families(): DaemonFamily[] {
    this.#describeLabels([]);
    return this.#registry
      .getMetricsAsArray()
      .filter(({ name }) => name.startsWith("flyball_"))
      .map((metric) => ({
        name: metric.name,
        type: metric instanceof Counter ? "counter" : "gauge",
        labels: "labelNames" in metric ? (metric.labelNames as string[]) : [],
        help: metric.help,
      }));
  }

  async render(): Promise<{ contentType: string; text: string }> {
    // Services come and go: what is gone must not be told of.
    for (const gauge of [this.#info, this.#load, this.#replicas, this.#bounds]) gauge.reset();
    const services = this.#services();
    this.#describeLabels(services);
    this.#scaling.update(services);
    for (const { id: service, project, name, load, replicas } of services) {
      this.#info.set({ service, project, name }, 1);
      const { cpuRatio, memoryRatio } = load;
      if (cpuRatio !== undefined) this.#load.set({ service, resource: "cpu" }, cpuRatio);
      if (memoryRatio !== undefined) this.#load.set({ service, resource: "memory" }, memoryRatio);
      const { desired, running, ready, min, max } = replicas;
      for (const [state, count] of Object.entries({ desired, running, ready })) {
        this.#replicas.set({ service, state }, count);
      }
      if (min !== undefined) this.#bounds.set({ service, bound: "min" }, min);
      if (max !== undefined) this.#bounds.set({ service, bound: "max" }, max);
    }
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
  }

  /** The business labels, in the way of kube_pod_labels: to be joined to the other metrics by `service`. */
  #describeLabels(services: readonly ServiceView[]): void {
    const name = "flyball_service_labels";
    this.#registry.removeSingleMetric(name);
    const names = new Set(services.flatMap(({ businessLabels }) => Object.keys(businessLabels)));
    // A business label of that name would hide whose it is.
    names.delete("service");
    const labels = new Gauge({
      name,
      help: "Always 1; carries the business labels of a service.",
      labelNames: ["service", ...names],
      registers: [],
    });
    this.#registry.registerMetric(labels);
    for (const { id, businessLabels } of services) labels.set({ ...businessLabels, service: id }, 1);
  }
}
