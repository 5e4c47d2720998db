import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../core/units.ts";

/**
 * Five minutes, the default stabilization window: what was up is kept that long anyway, so that a finer floor would
 * save nothing, and a jump in the middle of a bucket is met at most that much too early.
 */
export const BUCKET_MS = 5 * MINUTE_MS;
export const HOUR_BUCKETS = HOUR_MS / BUCKET_MS;
export const DAY_BUCKETS = DAY_MS / BUCKET_MS;
export const KEPT_DAYS = 28;
const KEPT_BUCKETS = KEPT_DAYS * DAY_BUCKETS;

/** The bucket in which an instant lies, counted from the epoch: buckets, days and weeks are those of UTC. */
export function bucketAt(atMs: number): number {
  return Math.floor(atMs / BUCKET_MS);
}

/**
 * What a service as a whole demanded over the last four weeks, in whatever unit its rule has: the mean of each five
 * minutes, and the peak of what was recorded in them. What was not seen is NaN. 63 KiB, however old it gets.
 */
export class DemandHistory {
  readonly #means = new Float32Array(KEPT_BUCKETS).fill(Number.NaN);
  readonly #peaks = new Float32Array(KEPT_BUCKETS).fill(Number.NaN);
  #first = 0;
  /** The newest bucket, and one more. */
  #end = 0;
  /** Of the newest bucket: how much of it was recorded. */
  #openMs = 0;

  /** The oldest bucket that is kept. */
  get firstBucket(): number {
    return this.#first;
  }

  /** The bucket after the newest one; the same as `firstBucket` when nothing is kept. */
  get endBucket(): number {
    return this.#end;
  }

  /** NaN when nothing was seen in it. */
  mean(bucket: number): number {
    return this.#value(this.#means, bucket);
  }

  /** NaN when nothing was seen in it. */
  peak(bucket: number): number {
    return this.#value(this.#peaks, bucket);
  }

  /** The means of the buckets before `end`, as many as there is room for; NaN for those that are not kept. */
  copyMeans(end: number, into: Float64Array): void {
    const from = end - into.length;
    if (from >= this.#first && end <= this.#end) {
      const slot = from % KEPT_BUCKETS;
      const unwrapped = this.#means.subarray(slot, slot + into.length);
      into.set(unwrapped);
      into.set(this.#means.subarray(0, into.length - unwrapped.length), unwrapped.length);
    } else for (let index = 0; index < into.length; index += 1) into[index] = this.mean(from + index);
  }

  /**
   * Takes in what was demanded from an instant to another: a minute of a live service, or the longer step of a trace.
   * Demand that is not a number, or is negative, is not recorded. Time that runs backwards is a clock that was set
   * back: what was recorded of the time to come is dropped.
   */
  record(fromMs: number, toMs: number, mean: number, peak = mean): void {
    if (!(mean >= 0 && peak >= 0 && Number.isFinite(mean) && Number.isFinite(peak) && toMs > fromMs)) return;
    const last = bucketAt(toMs - 1);
    for (let bucket = Math.max(bucketAt(fromMs), last - KEPT_BUCKETS + 1); bucket <= last; bucket += 1) {
      const lengthMs = Math.min(toMs, (bucket + 1) * BUCKET_MS) - Math.max(fromMs, bucket * BUCKET_MS);
      this.#open(bucket);
      this.#add(bucket % KEPT_BUCKETS, lengthMs, mean, peak);
    }
  }

  #open(bucket: number): void {
    if (bucket === this.#end - 1) return;
    this.#openMs = 0;
    if (bucket < this.#end) {
      this.#forget(Math.max(bucket, this.#first), this.#end);
      this.#first = Math.min(this.#first, bucket);
    } else if (this.#end === this.#first) this.#first = bucket;
    else this.#forget(Math.max(this.#end, bucket - KEPT_BUCKETS + 1), bucket + 1);
    this.#end = bucket + 1;
    this.#first = Math.max(this.#first, this.#end - KEPT_BUCKETS);
  }

  #forget(from: number, to: number): void {
    for (let bucket = from; bucket < to; bucket += 1) {
      this.#means[bucket % KEPT_BUCKETS] = Number.NaN;
      this.#peaks[bucket % KEPT_BUCKETS] = Number.NaN;
    }
  }

  #add(slot: number, lengthMs: number, mean: number, peak: number): void {
    const before = this.#openMs === 0 ? 0 : (this.#means[slot] ?? 0);
    const highest = this.#openMs === 0 ? 0 : (this.#peaks[slot] ?? 0);
    this.#means[slot] = (before * this.#openMs + mean * lengthMs) / (this.#openMs + lengthMs);
    this.#peaks[slot] = Math.max(highest, peak);
    this.#openMs += lengthMs;
  }

  #value(values: Float32Array, bucket: number): number {
    if (bucket < this.#first || bucket >= this.#end) return Number.NaN;
    return values[bucket % KEPT_BUCKETS] ?? Number.NaN;
  }
}
