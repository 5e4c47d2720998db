import { HOUR_MS, MINUTE_MS } from "../core/units.ts";
import type { OftenNeeded } from "./decide.ts";

/** Counts are learned up to this one; a service with more replicas is learned in groups of them. */
const LEVELS = 64;
/** What was seen this long ago counts a third as much. */
const MEMORY_MS = 6 * HOUR_MS;
/** Less than this says nothing. */
const LEAST_SEEN_MS = 10 * MINUTE_MS;
/** Gaps between looks that are longer were not looked at, and are not counted as calm. */
const LONGEST_LOOK_MS = MINUTE_MS;
/**
 * A replica is worth its keep when, on average, it is needed again within so many times what it takes to have it
 * again, and was needed as lately as that: the learned start time, and two and a half minutes for what starting and stopping cost besides.
 */
const WORTH_FACTOR = 5;
const START_COST_MS = 2.5 * MINUTE_MS;
/** Weights grow with time in place of every count shrinking; from here on they are brought back. */
const RENORMALIZE_AT = 1e12;

/**
 * How often a service needs how many replicas, learned from what it needed at each evaluation, the recent hours most.
 * The average gap of the k-th replica is the time in which it was not needed, divided by how often it came to be.
 */
export class NeedStatistician {
  /** Weighted time with a need of exactly that many groups, and weighted rises past each. */
  readonly #needMs = new Float64Array(LEVELS + 1);
  readonly #rises = new Float64Array(LEVELS + 1);
  /** When the need was last exactly that many groups. */
  readonly #lastMs = new Float64Array(LEVELS + 1).fill(Number.NEGATIVE_INFINITY);
  readonly #group: number;
  #seenMs = 0;
  #lookedMs = 0;
  #weight = 1;
  #lastAtMs: number | undefined;
  #last = 0;

  constructor(maxReplicas: number) {
    this.#group = Math.max(1, Math.ceil(maxReplicas / LEVELS));
  }

  /** To be called at each evaluation; with `undefined` when what is needed is not known. */
  record(nowMs: number, neededReplicas: number | undefined): void {
    const sinceMs = nowMs - (this.#lastAtMs ?? nowMs);
    this.#lastAtMs = nowMs;
    // What a clock that was set back has yet to come to was needed now, as far as anybody knows.
    if (sinceMs < 0)
      for (const [level, atMs] of this.#lastMs.entries()) this.#lastMs[level] = Math.min(atMs, nowMs);
    if (neededReplicas === undefined || sinceMs < 0 || sinceMs > LONGEST_LOOK_MS) {
      this.#last = 0;
      return;
    }
    const level = Math.min(Math.ceil(neededReplicas / this.#group), LEVELS);
    this.#weight *= Math.exp(sinceMs / MEMORY_MS);
    const weightedMs = sinceMs * this.#weight;
    this.#needMs[level] = (this.#needMs[level] ?? 0) + weightedMs;
    this.#lastMs[level] = nowMs;
    this.#seenMs += weightedMs;
    this.#lookedMs += sinceMs;
    // A rise from one level to a higher one passes each in between: kept as the difference of the running sum.
    if (this.#last > 0 && level > this.#last) {
      this.#rises[this.#last] = (this.#rises[this.#last] ?? 0) + this.#weight;
      this.#rises[level] = (this.#rises[level] ?? 0) - this.#weight;
    }
    this.#last = level;
    if (this.#weight > RENORMALIZE_AT) this.#renormalize();
  }

  /** The most replicas of which each is worth its keep; undefined until enough was seen. */
  oftenNeeded(startupMs: number): OftenNeeded | undefined {
    if (this.#lookedMs < LEAST_SEEN_MS) return undefined;
    const worthMs = WORTH_FACTOR * (startupMs + START_COST_MS);
    let busyMs = 0;
    let rises = 0;
    let lastMs = Number.NEGATIVE_INFINITY;
    for (let level = LEVELS; level > 1; level -= 1) {
      busyMs += this.#needMs[level] ?? 0;
      // All differences add up to nothing, so those from here on up are the rises past here, with the sign turned.
      rises -= this.#rises[level] ?? 0;
      lastMs = Math.max(lastMs, this.#lastMs[level] ?? lastMs);
      if (busyMs === 0) continue;
      const gapMs = Math.max(0, this.#seenMs - busyMs) / Math.max(rises, Number.MIN_VALUE);
      const silentMs = (this.#lastAtMs ?? 0) - lastMs;
      if (gapMs < worthMs && silentMs < worthMs)
        return { replicas: level * this.#group, gapMs: Math.round(gapMs) };
    }
    return { replicas: 1, gapMs: 0 };
  }

  #renormalize(): void {
    const by = this.#weight;
    this.#weight = 1;
    this.#seenMs /= by;
    for (let level = 0; level <= LEVELS; level += 1) {
      this.#needMs[level] = (this.#needMs[level] ?? 0) / by;
      this.#rises[level] = (this.#rises[level] ?? 0) / by;
    }
  }
}
