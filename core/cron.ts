import { Cron } from "croner";
import { messageOf } from "./errors.ts";
import { MINUTE_MS, SECOND_MS } from "./units.ts";

/** A year with a leap day in it, from whose start a line is asked whether it ever matches. */
const SOME_YEAR_MS = Date.UTC(2024, 0, 1);
const FIELDS_WITH_SECOND = 6;

/**
 * When a cron line of five fields, or of six with the second before them, matches in a time zone. A fixed time that a
 * clock change skips matches right after the gap, and one that comes twice matches at the first; what recurs by `*`
 * matches in every hour that passes.
 */
export class CronLine {
  readonly #cron: Cron;
  /** What it tells apart: minutes, or seconds. */
  readonly #grainMs: number;

  /**
   * @param timeZone IANA name
   * @throws Error that says which field is wrong, or that the time zone is not known
   */
  constructor(line: string, timeZone = "UTC") {
    const hasSecond = line.trim().split(/\s+/).length === FIELDS_WITH_SECOND;
    this.#grainMs = hasSecond ? SECOND_MS : MINUTE_MS;
    const mode = hasSecond ? "6-part" : "5-part";
    try {
      this.#cron = new Cron(line, { mode, timezone: timeZone, fixedTimeRule: "no-wildcard" });
    } catch (error) {
      throw new Error(messageOf(error).replace(/^\w+: /, ""), { cause: error });
    }
  }

  /** The last matching minute, or second, that is not after. */
  lastMatchMs(nowMs: number): number | undefined {
    // What is asked for lies strictly before: a second on, the moment that `nowMs` is in counts, and the next does not.
    const withinGrain = new Date(this.#startOfGrain(nowMs) + SECOND_MS);
    return this.#cron.previousRuns(1, withinGrain)[0]?.getTime();
  }

  /** The next matching minute, or second, that is after. */
  nextMatchMs(nowMs: number): number | undefined {
    return this.#cron.nextRun(new Date(this.#startOfGrain(nowMs)))?.getTime();
  }

  /** False for the 30th of February. */
  get everMatches(): boolean {
    return this.nextMatchMs(SOME_YEAR_MS - MINUTE_MS) !== undefined;
  }

  #startOfGrain(atMs: number): number {
    return Math.floor(atMs / this.#grainMs) * this.#grainMs;
  }
}
