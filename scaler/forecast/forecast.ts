import { SECOND_MS } from "../../core/units.ts";
import { FEWEST_JUDGED_DAYS, Gate, type Verdict } from "./gate.ts";
import { BUCKET_MS, bucketAt, DemandHistory, HOUR_BUCKETS } from "./history.ts";
import { expectedIn, FEWEST_DAYS, QUANTILES } from "./predict.ts";
import { type SimilarDay, similarDays } from "./similar-days.ts";
import type { Sizing } from "./trial.ts";

/** The least demand that a service should be ready for, or why there is none. */
export type Floor =
  | {
      /** In the unit of the history. */
      readonly demand: number;
      /** The start of the five minutes that expect it: up to the time to start, and a margin, from now. */
      readonly forMs: number;
    }
  | { readonly none: "too little history" | "nothing expected" | "on trial" | "does not pay" };

/** What a floor rests on, for a person. */
export interface Basis {
  readonly days: readonly SimilarDay[];
  readonly verdict: Verdict;
}

/** Beside the time to start: for the evaluation that orders and the engine that carries it out. */
const MARGIN_MS = 5 * SECOND_MS;
/** Similar days are looked for anew this often; what they lead to is worked out for each bucket. */
const SIMILAR_FOR_BUCKETS = HOUR_BUCKETS;
/** Nothing is planned further ahead: a replica that takes longer to start comes late. */
const MOST_PLANNED = HOUR_BUCKETS + 1;

/**
 * The forecast of one service: what it demanded goes in, the floor for any instant comes out. It knows no clock; the
 * same calls in the same order leave the same state.
 */
export class Forecast {
  readonly history = new DemandHistory();
  readonly #gate = new Gate(QUANTILES.length);
  #days: readonly SimilarDay[] = [];
  #daysFoundIn = Number.NaN;
  /** The bucket that the plan begins with, and each quantile of what is expected in it and in those after it. */
  #plannedFrom = Number.NaN;
  #plan: readonly (readonly number[])[] = [];

  /** Takes in what was demanded, to be called for each minute in turn; see `DemandHistory.record`. */
  record(fromMs: number, toMs: number, mean: number, peak = mean): void {
    this.history.record(fromMs, toMs, mean, peak);
  }

  /**
   * The floor at an instant. When the five minutes in which it lies have just begun, they are planned first, and the
   * ones before are judged; otherwise it is two look-ups.
   */
  floor(nowMs: number, sizing: Sizing): Floor {
    const now = bucketAt(nowMs);
    if (now !== this.#plannedFrom) this.#turn(now, sizing);
    if (this.#days.length < FEWEST_DAYS) return { none: "too little history" };
    const { verdict } = this.#gate;
    if (!verdict.pays) return { none: verdict.days < FEWEST_JUDGED_DAYS ? "on trial" : "does not pay" };
    const bucket = this.#highest(verdict.choice, nowMs, sizing.startMs);
    if (bucket === undefined) return { none: "nothing expected" };
    return { demand: this.#planned(verdict.choice, bucket), forMs: bucket * BUCKET_MS };
  }

  get basis(): Basis {
    return { days: this.#days, verdict: this.#gate.verdict };
  }

  #turn(now: number, sizing: Sizing): void {
    const over = this.#plannedFrom;
    const demand = this.history.peak(over);
    if (over === now - 1 && !Number.isNaN(demand) && this.#days.length >= FEWEST_DAYS) {
      this.#gate.run(over, demand, sizing, (choice, atMs) => {
        const bucket = this.#highest(choice, atMs, sizing.startMs);
        return bucket === undefined ? 0 : this.#planned(choice, bucket);
      });
    }
    if (!(now >= this.#daysFoundIn && now < this.#daysFoundIn + SIMILAR_FOR_BUCKETS)) {
      this.#days = similarDays(this.history, now);
      this.#daysFoundIn = now;
    }
    this.#plannedFrom = now;
    const length = Math.min(MOST_PLANNED, 2 + Math.ceil((sizing.startMs + MARGIN_MS) / BUCKET_MS));
    this.#plan = Array.from({ length }, (_, ahead) =>
      expectedIn(this.history, now, now + ahead, this.#days, QUANTILES),
    );
  }

  /** The bucket that expects the most, of those that begin before a replica ordered now would serve. */
  #highest(choice: number, nowMs: number, startMs: number): number | undefined {
    let highest: number | undefined;
    let most = Number.NEGATIVE_INFINITY;
    for (let bucket = bucketAt(nowMs); bucket <= bucketAt(nowMs + startMs + MARGIN_MS); bucket += 1) {
      const demand = this.#planned(choice, bucket);
      if (demand > most) [highest, most] = [bucket, demand];
    }
    return highest;
  }

  /** NaN when nothing is known. */
  #planned(choice: number, bucket: number): number {
    return this.#plan[bucket - this.#plannedFrom]?.[choice] ?? Number.NaN;
  }
}
