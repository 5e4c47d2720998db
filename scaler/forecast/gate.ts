import { DAY_MS } from "../../core/units.ts";
import { BUCKET_MS } from "./history.ts";
import { type Sizing, Trial, type TrialFigures } from "./trial.ts";

/** What the floor did for a service over the last days, by its own backtest. */
export interface Verdict {
  readonly pays: boolean;
  /** Days of the backtest, at most `JUDGED_DAYS`. */
  readonly days: number;
  /** Of the demand, with the rules alone: how much was above what the replicas that served can serve well. */
  readonly overloadRatio: number;
  /** How much of that overload the floor took away; negative if it added some, 0 if there was none. */
  readonly savedRatio: number;
  /** More replicas that it cost, of those that the rules alone ordered. */
  readonly extraRatio: number;
}

export const JUDGED_DAYS = 14;
/** A day decides nothing, and a weekend looks like a habit. */
export const FEWEST_JUDGED_DAYS = 3;
/** Less than a quarter of the overload is not worth a floor. */
const LEAST_SAVED = 0.25;
/** All of the overload is worth 4 % more replicas, half of it 2 %. */
const WORTH_OF_ALL = 0.04;

interface Day {
  readonly day: number;
  buckets: number;
  demand: number;
  overload: number;
  overloadWithFloor: number;
  serving: number;
  servingWithFloor: number;
}

/**
 * Whether the floor pays for this service: each bucket that is over is run through twice, with the floor that was
 * laid for it before it came and with none. It is judged when a day is over, so that it holds for a day.
 */
export class Gate {
  readonly #days: Day[] = [];
  readonly #without = new Trial();
  readonly #with = new Trial();
  #verdict: Verdict = { pays: false, days: 0, overloadRatio: 0, savedRatio: 0, extraRatio: 0 };

  get verdict(): Verdict {
    return this.#verdict;
  }

  /** Takes in a bucket that is over, its demand, and the floor as it would have been at any instant of it. */
  run(bucket: number, demand: number, sizing: Sizing, floorAt: (atMs: number) => number): void {
    const fromMs = bucket * BUCKET_MS;
    const day = this.#dayOf(Math.floor(fromMs / DAY_MS));
    const without = this.#without.run(fromMs, demand, sizing, () => 0);
    const withFloor = this.#with.run(fromMs, demand, sizing, floorAt);
    add(day, without, withFloor);
  }

  #dayOf(day: number): Day {
    const open = this.#days.at(-1);
    if (open?.day === day) return open;
    this.#verdict = judge(this.#days);
    // A clock that was set back has days again that it had before.
    while (this.#days.length >= JUDGED_DAYS || (this.#days[0]?.day ?? day) > day) this.#days.shift();
    const next = {
      day,
      buckets: 0,
      demand: 0,
      overload: 0,
      overloadWithFloor: 0,
      serving: 0,
      servingWithFloor: 0,
    };
    this.#days.push(next);
    return next;
  }
}

function add(day: Day, without: TrialFigures, withFloor: TrialFigures): void {
  day.buckets += 1;
  day.demand += without.demand;
  day.overload += without.overload;
  day.overloadWithFloor += withFloor.overload;
  day.serving += without.serving;
  day.servingWithFloor += withFloor.serving;
}

function judge(days: readonly Day[]): Verdict {
  const sum = (of: (day: Day) => number) => days.reduce((total, day) => total + of(day), 0);
  const overload = sum((day) => day.overload);
  const demand = sum((day) => day.demand);
  const serving = sum((day) => day.serving);
  const savedRatio = overload > 0 ? 1 - sum((day) => day.overloadWithFloor) / overload : 0;
  const extraRatio = serving > 0 ? sum((day) => day.servingWithFloor) / serving - 1 : 0;
  const worthIt = savedRatio >= LEAST_SAVED && extraRatio <= WORTH_OF_ALL * savedRatio;
  return {
    pays: days.length >= FEWEST_JUDGED_DAYS && worthIt,
    days: days.length,
    overloadRatio: demand > 0 ? overload / demand : 0,
    savedRatio,
    extraRatio,
  };
}
