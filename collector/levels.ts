import type { ObservedReplica, ReplicaId, RuleMetric, Sample } from "../core/types.ts";
import type { Window } from "./ring.ts";
import { Series, type SeriesMetric } from "./series.ts";

/** Fewer readings than these are no mean. */
const LEAST_READINGS = 2;
const SERIES: { readonly [Metric in RuleMetric]?: SeriesMetric } = {
  cpu: "cpuCores",
  memory: "memoryWorkingSetBytes",
  rps: "requestsPerSecond",
};

/** What was read of replicas, and what rules make of it. Spans are open at their start and closed at their end. */
export class Levels {
  readonly #series = new Series();
  readonly #newest = new Map<ReplicaId, Sample>();

  append(sample: Sample): void {
    this.#series.append(sample);
    this.#newest.set(sample.replica, sample);
  }

  /** Forgets all other replicas. */
  keepOnly(replicas: ReadonlySet<ReplicaId>): void {
    for (const id of this.#newest.keys()) {
      if (replicas.has(id)) continue;
      this.#series.forget(id);
      this.#newest.delete(id);
    }
  }

  newest(replica: ReplicaId): Sample | undefined {
    return this.#newest.get(replica);
  }

  /** What each replica uses now, in cores; without those of which that is not known. */
  get cores(): ReadonlyMap<ReplicaId, number> {
    const known = [...this.#newest.values()].filter(({ cpuCores }) => cpuCores !== undefined);
    return new Map(known.map(({ replica, cpuCores = 0 }) => [replica, cpuCores]));
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
