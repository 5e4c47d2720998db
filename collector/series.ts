import type { ReplicaId, Sample } from "../core/types.ts";
import { Ring, type SeriesPoint, type Window } from "./ring.ts";

const RESOURCE_METRICS = ["cpuCores", "memoryWorkingSetBytes", "cpuHeldBackRatio"] as const;
const TRAFFIC_METRICS = ["requestsPerSecond", "latencyMs"] as const;
export type SeriesMetric = (typeof RESOURCE_METRICS)[number] | (typeof TRAFFIC_METRICS)[number];

/** One hour at one reading per second. */
const DEFAULT_CAPACITY = 3_600;

/** The latest readings of each replica, in memory. */
export class Series {
  readonly #resources: Rings;
  /** Few replicas are asked for theirs: those of the others take no room. */
  readonly #traffic: Rings;

  constructor(capacity: number = DEFAULT_CAPACITY) {
    this.#resources = new Rings(RESOURCE_METRICS, capacity);
    this.#traffic = new Rings(TRAFFIC_METRICS, capacity);
  }

  get replicas(): Iterable<ReplicaId> {
    return this.#resources.replicas;
  }

  /** What all readings take. */
  get bytes(): number {
    return this.#resources.bytes + this.#traffic.bytes;
  }

  append(sample: Sample): void {
    this.#resources.append(sample);
    if (sample.requestsPerSecond !== undefined || sample.latencyMs !== undefined)
      this.#traffic.append(sample);
  }

  /** Over the readings after `fromMs`, up to and with `toMs`; undefined when there is none of this metric. */
  window(replica: ReplicaId, metric: SeriesMetric, fromMs: number, toMs: number): Window | undefined {
    return this.#of(metric).window(replica, metric, fromMs, toMs);
  }

  /** The readings after `fromMs`, oldest first. */
  points(replica: ReplicaId, metric: SeriesMetric, fromMs: number): SeriesPoint[] {
    return this.#of(metric).points(replica, metric, fromMs);
  }

  forget(replica: ReplicaId): void {
    this.#resources.forget(replica);
    this.#traffic.forget(replica);
  }

  #of(metric: SeriesMetric): Rings {
    return this.#traffic.has(metric) ? this.#traffic : this.#resources;
  }
}

/** Some metrics of each replica. */
class Rings {
  readonly #metrics: readonly SeriesMetric[];
  readonly #capacity: number;
  readonly #rings = new Map<ReplicaId, Ring>();

  constructor(metrics: readonly SeriesMetric[], capacity: number) {
    this.#metrics = metrics;
    this.#capacity = capacity;
  }

  get replicas(): Iterable<ReplicaId> {
    return this.#rings.keys();
  }

  get bytes(): number {
    return this.#rings.values().reduce((sum, ring) => sum + ring.bytes, 0);
  }

  has(metric: SeriesMetric): boolean {
    return this.#metrics.includes(metric);
  }

  append(sample: Sample): void {
    let ring = this.#rings.get(sample.replica);
    if (ring === undefined) {
      ring = new Ring(this.#metrics.length, this.#capacity);
      this.#rings.set(sample.replica, ring);
    }
    ring.append(
      sample.readAtMs,
      this.#metrics.map((metric) => sample[metric]),
    );
  }

  window(replica: ReplicaId, metric: SeriesMetric, fromMs: number, toMs: number): Window | undefined {
    return this.#rings.get(replica)?.window(this.#metrics.indexOf(metric), fromMs, toMs);
  }

  points(replica: ReplicaId, metric: SeriesMetric, fromMs: number): SeriesPoint[] {
    return this.#rings.get(replica)?.points(this.#metrics.indexOf(metric), fromMs) ?? [];
  }

  forget(replica: ReplicaId): void {
    this.#rings.delete(replica);
  }
}
