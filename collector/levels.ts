import type { ObservedReplica, RuleMetric } from "../core/types.ts";
import type { Window } from "./ring.ts";
import type { Series, SeriesMetric } from "./series.ts";

/** Fewer readings than these are no mean. */
const LEAST_READINGS = 2;
const SERIES: { readonly [Metric in RuleMetric]?: SeriesMetric } = {
  cpu: "cpuCores",
  memory: "memoryWorkingSetBytes",
  rps: "requestsPerSecond",
};

/** What rules read of replicas. Spans are open at their start and closed at their end. */
export class Levels {
  readonly #series: Series;

  constructor(series: Series) {
    this.#series = series;
  }

  /** Cores, bytes or requests per second of one replica; undefined for what is not one replica's. */
  ofReplica(
    replica: ObservedReplica,
    metric: RuleMetric,
    fromMs: number,
    toMs: number,
  ): Pick<Window, "mean" | "newestAtMs"> | undefined {
    const series = SERIES[metric];
    if (series === undefined) return undefined;
    const window = this.#series.window(replica.id, series, fromMs, toMs);
    return window === undefined || window.count < LEAST_READINGS ? undefined : window;
  }

  heldBack(replica: ObservedReplica, fromMs: number, toMs: number): number | undefined {
    return this.#series.window(replica.id, "cpuHeldBackRatio", fromMs, toMs)?.mean;
  }

  /** The p95 of a service in milliseconds: those of its replicas, weighted by the requests that each had. */
  latency(
    replicas: readonly ObservedReplica[],
    fromMs: number,
    toMs: number,
  ): Pick<Window, "mean" | "newestAtMs"> | undefined {
    let weighted = 0;
    let requests = 0;
    let newestAtMs = 0;
    for (const { id, state } of replicas) {
      const rate = this.#series.window(id, "requestsPerSecond", fromMs, toMs);
      if (state !== "running" || rate === undefined) continue;
      const latency = this.#series.window(id, "latencyMs", fromMs, toMs);
      weighted += (latency?.mean ?? 0) * rate.mean;
      requests += latency === undefined ? 0 : rate.mean;
      newestAtMs = Math.max(newestAtMs, rate.newestAtMs);
    }
    if (newestAtMs === 0) return undefined;
    // Nobody asked, so nobody waits.
    return { mean: requests > 0 ? weighted / requests : 0, newestAtMs };
  }
}
