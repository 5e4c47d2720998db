import { Cron } from "croner";
import { messageOf } from "./errors.ts";
import { MINUTE_MS, SECOND_MS } from "./units.ts";

/** A year with a leap day in it, from whose start a line is asked whether it ever matches. */
const SOME_YEAR_MS = Date.UTC(2024, 0, 1);

/**
 * When a cron line of five fields matches, in a time zone. A fixed time that a clock change skips matches right after
 * the gap, and one that comes twice matches at the first; what recurs by `*` matches in every hour that passes.
 */
export class CronLine {
  readonly #cron: Cron;

  /**
   * @param timeZone IANA name
   * @throws Error that says which field is wrong, or that the time zone is not known
   */
  constructor(line: string, timeZone = "UTC") {
    try {
      this.#cron = new Cron(line, { mode: "5-part", timezone: timeZone, fixedTimeRule: "no-wildcard" });
    } catch (error) {
      throw new Error(messageOf(error).replace(/^\w+: /, ""), { cause: error });
    }
  }

  /** The last matching minute that is not after. */
  lastMatchMs(nowMs: number): number | undefined {
    // What is asked for lies strictly before: half a minute on, the minute that `nowMs` is in counts.
    const withinMinute = new Date(startOfMinute(nowMs) + 30 * SECOND_MS);
    return this.#cron.previousRuns(1, withinMinute)[0]?.getTime();
  }

  /** The next matching minute that is after. */
  nextMatchMs(nowMs: number): number | undefined {
    return this.#cron.nextRun(new Date(startOfMinute(nowMs)))?.getTime();
  }

  /** False for the 30th of February. */
  get everMatches(): boolean {
    return this.nextMatchMs(SOME_YEAR_MS - MINUTE_MS) !== undefined;
  }
}

function startOfMinute(atMs: number): number {
  return Math.floor(atMs / MINUTE_MS) * MINUTE_MS;
}
