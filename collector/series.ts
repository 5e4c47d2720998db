import type { ReplicaId, Sample } from "../core/types.ts";
import { Ring, type SeriesPoint, type Window } from "./ring.ts";

const SERIES_METRICS = ["cpuCores", "memoryWorkingSetBytes"] as const;
export type SeriesMetric = (typeof SERIES_METRICS)[number];

/** One hour at one reading per second. */
const DEFAULT_CAPACITY = 3_600;

/** The latest readings of each replica, in memory. */
export class Series {
  readonly #capacity: number;
  readonly #rings = new Map<ReplicaId, Ring>();

  constructor(capacity: number = DEFAULT_CAPACITY) {
    this.#capacity = capacity;
  }

  get replicas(): Iterable<ReplicaId> {
    return this.#rings.keys();
  }

  /** What all readings take. */
  get bytes(): number {
    return this.#rings.values().reduce((sum, ring) => sum + ring.bytes, 0);
  }

  append(sample: Sample): void {
    let ring = this.#rings.get(sample.replica);
    if (ring === undefined) {
      ring = new Ring(SERIES_METRICS.length, this.#capacity);
      this.#rings.set(sample.replica, ring);
    }
    // In the order of the metrics.
    ring.append(sample.readAtMs, [sample.cpuCores, sample.memoryWorkingSetBytes]);
  }

  /** Over the readings after `fromMs`, up to and with `toMs`; undefined when there is none of this metric. */
  window(replica: ReplicaId, metric: SeriesMetric, fromMs: number, toMs: number): Window | undefined {
    return this.#rings.get(replica)?.window(SERIES_METRICS.indexOf(metric), fromMs, toMs);
  }

  /** The readings after `fromMs`, oldest first. */
  points(replica: ReplicaId, metric: SeriesMetric, fromMs: number): SeriesPoint[] {
    return this.#rings.get(replica)?.points(SERIES_METRICS.indexOf(metric), fromMs) ?? [];
  }

  forget(replica: ReplicaId): void {
    this.#rings.delete(replica);
  }
}
