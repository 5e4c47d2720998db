import type { ReplicaId, Sample } from "../core/types.ts";

export const SERIES_METRICS = ["cpuCores", "memoryWorkingSetBytes"] as const;
export type SeriesMetric = (typeof SERIES_METRICS)[number];

/** What a metric was over a window. Only readings that were made count: a gap is no zero. */
export interface Window {
  readonly mean: number;
  readonly count: number;
  readonly newestAtMs: number;
  readonly oldestAtMs: number;
}

export interface SeriesPoint {
  readonly atMs: number;
  readonly value: number;
}

/** 15 minutes at one reading per second. */
const DEFAULT_CAPACITY = 900;
/** Rings of replicas that went, kept for those that come. */
const SPARE_RINGS = 64;

/** The latest readings of each replica, in memory; the oldest make room for the newest. */
export class Series {
  readonly #capacity: number;
  readonly #rings = new Map<ReplicaId, Ring>();
  readonly #spare: Ring[] = [];

  constructor(capacity: number = DEFAULT_CAPACITY) {
    this.#capacity = capacity;
  }

  get replicas(): Iterable<ReplicaId> {
    return this.#rings.keys();
  }

  append(sample: Sample): void {
    let ring = this.#rings.get(sample.replica);
    if (ring === undefined) {
      ring = this.#spare.pop() ?? new Ring(this.#capacity);
      this.#rings.set(sample.replica, ring);
    }
    ring.append(sample);
  }

  /** Over the readings after `fromMs`, up to and with `toMs`; undefined when there is none of this metric. */
  window(replica: ReplicaId, metric: SeriesMetric, fromMs: number, toMs: number): Window | undefined {
    return this.#rings.get(replica)?.window(metric, fromMs, toMs);
  }

  /** The readings after `fromMs`, oldest first. */
  points(replica: ReplicaId, metric: SeriesMetric, fromMs: number): SeriesPoint[] {
    return this.#rings.get(replica)?.points(metric, fromMs) ?? [];
  }

  forget(replica: ReplicaId): void {
    const ring = this.#rings.get(replica);
    if (ring === undefined) return;
    this.#rings.delete(replica);
    if (this.#spare.length >= SPARE_RINGS) return;
    ring.clear();
    this.#spare.push(ring);
  }
}

/** Readings in the order of their times; an absent value is NaN inside, and never leaves. */
class Ring {
  readonly #times: Float64Array;
  readonly #values: Readonly<Record<SeriesMetric, Float64Array>>;
  /** Where the next reading goes. */
  #next = 0;
  #size = 0;

  constructor(capacity: number) {
    this.#times = new Float64Array(capacity);
    this.#values = {
      cpuCores: new Float64Array(capacity),
      memoryWorkingSetBytes: new Float64Array(capacity),
    };
  }

  append(sample: Sample): void {
    // The wall clock was set back: what lies ahead of it now would pass for the newest until it has caught up.
    while (this.#size > 0 && this.#timeAt(1) >= sample.readAtMs) {
      this.#next = this.#slot(1);
      this.#size -= 1;
    }
    this.#times[this.#next] = sample.readAtMs;
    for (const metric of SERIES_METRICS) this.#values[metric][this.#next] = sample[metric] ?? Number.NaN;
    this.#next = (this.#next + 1) % this.#times.length;
    this.#size = Math.min(this.#size + 1, this.#times.length);
  }

  window(metric: SeriesMetric, fromMs: number, toMs: number): Window | undefined {
    const values = this.#values[metric];
    let sum = 0;
    let count = 0;
    let newestAtMs = 0;
    let oldestAtMs = 0;
    for (let back = 1; back <= this.#size; back += 1) {
      const atMs = this.#timeAt(back);
      if (atMs <= fromMs) break;
      const value = values[this.#slot(back)] ?? Number.NaN;
      if (atMs > toMs || Number.isNaN(value)) continue;
      if (count === 0) newestAtMs = atMs;
      oldestAtMs = atMs;
      sum += value;
      count += 1;
    }
    return count === 0 ? undefined : { mean: sum / count, count, newestAtMs, oldestAtMs };
  }

  points(metric: SeriesMetric, fromMs: number): SeriesPoint[] {
    const points: SeriesPoint[] = [];
    for (let back = 1; back <= this.#size; back += 1) {
      const atMs = this.#timeAt(back);
      if (atMs <= fromMs) break;
      const value = this.#values[metric][this.#slot(back)] ?? Number.NaN;
      if (!Number.isNaN(value)) points.push({ atMs, value });
    }
    return points.reverse();
  }

  clear(): void {
    this.#next = 0;
    this.#size = 0;
  }

  /** The position of the reading so many before the next one. */
  #slot(back: number): number {
    return (this.#next - back + this.#times.length) % this.#times.length;
  }

  #timeAt(back: number): number {
    return this.#times[this.#slot(back)] ?? Number.NaN;
  }
}
