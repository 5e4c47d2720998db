import { DAY_MS } from "../../core/units.ts";
import { BUCKET_MS } from "./history.ts";
import { type Sizing, Trial, type TrialFigures } from "./trial.ts";

/** What the floor did for a service over the last days, by its own backtest. */
export interface Verdict {
  readonly pays: boolean;
  /** Which of the floors that were tried it is about: the most cautious that pays, or the cheapest. */
  readonly choice: number;
  /** Days of the backtest, at most `JUDGED_DAYS`. */
  readonly days: number;
  /** Of the demand, with the rules alone: how much was above what the replicas that served can serve well. */
  readonly overloadRatio: number;
  /** How much of that overload the floor took away; negative if it added some, 0 if there was none. */
  readonly savedRatio: number;
  /** More replicas that it cost, of those that the rules alone ordered. */
  readonly extraRatio: number;
}

const JUDGED_DAYS = 14;
/** A day decides nothing, and a weekend looks like a habit. */
export const FEWEST_JUDGED_DAYS = 3;
/** Less than a quarter of the overload is not worth a floor. */
const LEAST_SAVED = 0.25;
/** Each quarter of the overload is worth 1 % more replicas. */
const WORTH_OF_ALL = 0.04;

const NOTHING: TrialFigures = { demand: 0, overload: 0, serving: 0 };

interface Day {
  readonly day: number;
  without: TrialFigures;
  withFloor: readonly TrialFigures[];
}

/**
 * Whether a floor pays for this service, and which: each bucket that is over is run through with none and with each
 * of those that were laid for it before it came. It is judged when a day is over, so that it holds for a day.
 */
export class Gate {
  readonly #days: Day[] = [];
  readonly #without = new Trial();
  readonly #withFloor: readonly Trial[];
  #verdict: Verdict = { pays: false, choice: 0, days: 0, overloadRatio: 0, savedRatio: 0, extraRatio: 0 };

  /** @param choices how many floors are tried, the least cautious first */
  constructor(choices: number) {
    this.#withFloor = Array.from({ length: choices }, () => new Trial());
  }

  get verdict(): Verdict {
    return this.#verdict;
  }

  /** Takes in a bucket that is over, its demand, and each floor as it would have been at any instant of it. */
  run(
    bucket: number,
    demand: number,
    sizing: Sizing,
    floorAt: (choice: number, atMs: number) => number,
  ): void {
    const fromMs = bucket * BUCKET_MS;
    const day = this.#dayOf(Math.floor(fromMs / DAY_MS));
    day.without = plus(
      day.without,
      this.#without.run(fromMs, demand, sizing, () => 0),
    );
    day.withFloor = this.#withFloor.map((trial, choice) =>
      plus(
        day.withFloor[choice] ?? NOTHING,
        trial.run(fromMs, demand, sizing, (atMs) => floorAt(choice, atMs)),
      ),
    );
  }

  #dayOf(day: number): Day {
    const open = this.#days.at(-1);
    if (open?.day === day) return open;
    this.#verdict = this.#judge();
    while (this.#days.length >= JUDGED_DAYS) this.#days.shift();
    const next: Day = { day, without: NOTHING, withFloor: [] };
    this.#days.push(next);
    return next;
  }

  #judge(): Verdict {
    const without = this.#days.map((day) => day.without).reduce(plus, NOTHING);
    const verdicts = this.#withFloor.map((_, choice) => {
      const withFloor = this.#days.map((day) => day.withFloor[choice] ?? NOTHING).reduce(plus, NOTHING);
      return judge(without, withFloor, choice, this.#days.length);
    });
    const paying = verdicts.filter(({ pays }) => pays);
    return paying.at(-1) ?? verdicts[0] ?? this.#verdict;
  }
}

function judge(without: TrialFigures, withFloor: TrialFigures, choice: number, days: number): Verdict {
  const savedRatio = without.overload > 0 ? 1 - withFloor.overload / without.overload : 0;
  const extraRatio = without.serving > 0 ? withFloor.serving / without.serving - 1 : 0;
  return {
    pays: days >= FEWEST_JUDGED_DAYS && savedRatio >= LEAST_SAVED && extraRatio <= WORTH_OF_ALL * savedRatio,
    choice,
    days,
    overloadRatio: without.demand > 0 ? without.overload / without.demand : 0,
    savedRatio,
    extraRatio,
  };
}

function plus(a: TrialFigures, b: TrialFigures): TrialFigures {
  return {
    demand: a.demand + b.demand,
    overload: a.overload + b.overload,
    serving: a.serving + b.serving,
  };
}
