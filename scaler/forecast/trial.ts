import { SECOND_MS } from "../../core/units.ts";
import { BUCKET_MS } from "./history.ts";

/** How a service turns demand into replicas. */
export interface Sizing {
  /** What one replica can serve at 100 %, in the unit of the history. */
  readonly capacity: number;
  /** Where the rule scales out; 0.7 for `max_cpu: 70`. */
  readonly targetRatio: number;
  /** From the order of a replica until it serves. */
  readonly startMs: number;
}

/** Sums over a time, in replicas × seconds. */
export interface TrialFigures {
  readonly demand: number;
  /** Demand above what the replicas that serve can serve well. */
  readonly overload: number;
  readonly serving: number;
}

/** Up to this share of its capacity a replica serves well. */
const SERVES_WELL = 0.8;
/** The CPU of a service that is full hides how much more is wanted; the rules then ask for this much of it. */
const BLIND_GROWTH = 2.5;
/** Rules come as near to their target as whole replicas can, and never further above it than this. */
const TOLERANCE = 1.1;
/** What was needed is kept for this long: rules wait half a minute when they know their load, else five. */
const KEPT_MS = 180 * SECOND_MS;
const STEP_MS = 10 * SECOND_MS;

/**
 * A service as it would go with a given floor, or with none: rules that follow the demand at once up and after three
 * minutes down. It exists to compare the two, not to foretell either.
 */
export class Trial {
  #serving = 1;
  #needBefore = 1;
  /** Orders on their way: when they serve, and how many replicas there are then. */
  #coming: { atMs: number; replicas: number }[] = [];
  #endMs = Number.NaN;

  /** One bucket with a constant demand; `floorAt` is the floor, in the unit of the history, at an instant of it. */
  run(fromMs: number, demand: number, sizing: Sizing, floorAt: (atMs: number) => number): TrialFigures {
    const { capacity, targetRatio, startMs } = sizing;
    const load = demand / capacity;
    const need = replicasFor(load / targetRatio);
    if (Number.isNaN(this.#endMs)) {
      this.#serving = need;
      this.#needBefore = need;
    }
    // After a time that nothing is known of, or a clock that was set, what was ordered has long come.
    if (fromMs !== this.#endMs) this.#arrive(Number.POSITIVE_INFINITY);
    this.#endMs = fromMs + BUCKET_MS;
    let overload = 0;
    let served = 0;
    for (let atMs = fromMs; atMs < fromMs + BUCKET_MS; atMs += STEP_MS) {
      this.#arrive(atMs);
      const blind = load > this.#serving;
      const seen = blind ? replicasFor((this.#serving * BLIND_GROWTH) / targetRatio) : need;
      const floor = replicasFor(floorAt(atMs) / capacity / targetRatio);
      this.#order(
        Math.max(Math.min(seen, need), atMs < fromMs + KEPT_MS ? this.#needBefore : 0, floor),
        atMs + startMs,
      );
      overload += Math.max(0, load - SERVES_WELL * this.#serving);
      served += this.#serving;
    }
    this.#needBefore = need;
    const seconds = STEP_MS / SECOND_MS;
    return {
      demand: (load * BUCKET_MS) / SECOND_MS,
      overload: overload * seconds,
      serving: served * seconds,
    };
  }

  #arrive(atMs: number): void {
    while (this.#coming[0] !== undefined && this.#coming[0].atMs <= atMs) {
      this.#serving = this.#coming[0].replicas;
      this.#coming.shift();
    }
  }

  #order(replicas: number, servesAtMs: number): void {
    this.#serving = Math.min(this.#serving, replicas);
    while ((this.#coming.at(-1)?.replicas ?? 0) > replicas) this.#coming.pop();
    if (replicas > (this.#coming.at(-1)?.replicas ?? this.#serving))
      this.#coming.push({ atMs: servesAtMs, replicas });
  }
}

/** The whole number of replicas that comes nearest, one at least. */
export function replicasFor(replicas: number): number {
  return Math.max(1, Math.round(replicas), Math.ceil(replicas / TOLERANCE));
}
