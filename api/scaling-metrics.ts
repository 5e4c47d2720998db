import { Gauge, type Registry } from "prom-client";
import { SECOND_MS } from "../core/units.ts";
import { autoscaleModeSchema, type DecisionView, type ServiceView } from "../core/wire.ts";

type RuleVerdict = DecisionView["verdicts"][number];

/** What the daemon tells Prometheus about the rules of services: as they came out when they were last looked at. */
export class ScalingMetrics {
  readonly #wanted: Gauge<"service">;
  readonly #levels: Gauge<"service" | "metric">;
  readonly #thresholds: Gauge<"service" | "metric" | "bound">;
  readonly #asked: Gauge<"service" | "metric">;
  readonly #limits: Gauge<"service" | "limit">;
  readonly #modes: Gauge<"service" | "mode">;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#wanted = new Gauge({
      name: "flyball_service_replicas_wanted",
      help: "Replicas that the rules of a service ask for, before any limit.",
      labelNames: ["service"],
      registers,
    });
    this.#levels = new Gauge({
      name: "flyball_rule_level",
      help: "What a rule reads, mean over the replicas: cpu and memory 0..1, rps per second and replica, latency in seconds, query as it is; absent while nothing is read.",
      labelNames: ["service", "metric"],
      registers,
    });
    this.#thresholds = new Gauge({
      name: "flyball_rule_threshold",
      help: "The levels above which (max) and below which (min) a rule asks for another count, in the unit of flyball_rule_level.",
      labelNames: ["service", "metric", "bound"],
      registers,
    });
    this.#asked = new Gauge({
      name: "flyball_rule_replicas_asked",
      help: "Replicas that one rule asks for by itself; absent while it reads nothing.",
      labelNames: ["service", "metric"],
      registers,
    });
    this.#limits = new Gauge({
      name: "flyball_service_limit",
      help: "1 for each limit that changed what the rules of a service asked for.",
      labelNames: ["service", "limit"],
      registers,
    });
    this.#modes = new Gauge({
      name: "flyball_service_autoscale_mode",
      help: "1 for what becomes of the rules' decisions: live they are done, shadow and paused only told; 0 for the others.",
      labelNames: ["service", "mode"],
      registers,
    });
  }

  /** Tells of these services, and of no other. */
  update(services: readonly ServiceView[]): void {
    // Services come and go: what is gone must not be told of.
    for (const gauge of [
      this.#wanted,
      this.#levels,
      this.#thresholds,
      this.#asked,
      this.#limits,
      this.#modes,
    ]) {
      gauge.reset();
    }
    for (const { id: service, autoscale, lastDecision } of services) {
      if (autoscale?.mode !== undefined) {
        for (const mode of autoscaleModeSchema.options) {
          this.#modes.set({ service, mode }, mode === autoscale.mode ? 1 : 0);
        }
      }
      if (lastDecision === undefined) continue;
      this.#wanted.set({ service }, lastDecision.wanted);
      for (const verdict of lastDecision.verdicts) this.#tell(service, verdict);
      for (const { limit } of lastDecision.limits) this.#limits.set({ service, limit }, 1);
    }
  }

  #tell(service: string, { metric, level, max, min, asksFor }: RuleVerdict): void {
    if (level !== undefined) this.#levels.set({ service, metric }, inBaseUnit(metric, level));
    this.#thresholds.set({ service, metric, bound: "max" }, inBaseUnit(metric, max));
    if (min !== undefined) this.#thresholds.set({ service, metric, bound: "min" }, inBaseUnit(metric, min));
    if (asksFor !== undefined) this.#asked.set({ service, metric }, asksFor);
  }
}

/** Prometheus counts time in seconds, rules in milliseconds. */
function inBaseUnit(metric: RuleVerdict["metric"], level: number): number {
  return metric === "latency" ? level / SECOND_MS : level;
}
