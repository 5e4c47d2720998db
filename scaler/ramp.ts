import { SECOND_MS } from "../core/units.ts";

/** Looked at: the time that a replica takes to start, within these. */
const SHORTEST_SPAN_MS = 40 * SECOND_MS;
const LONGEST_SPAN_MS = 120 * SECOND_MS;
const PARTS = 4;
const FEWEST_READINGS = 2;
/** A rise over the span by less than this share of the load is noise. */
const LEAST_RISE = 0.1;
/** On a ramp each part rises by this share of the whole rise at least; in a jump most parts do not rise at all. */
const STEADY_SHARE = 0.2;
/** No further ahead than to twice the load. */
const MOST_FACTOR = 2;

interface Part {
  readonly startMs: number;
  sum: number;
  count: number;
}

/**
 * Whether a load is rising steadily, and what it will have grown to when a replica that is ordered now serves. The
 * recent past is cut in four: four means in a row that each rise are a ramp, and it goes on as it did.
 */
export class Ramp {
  #parts: readonly Part[] = [];
  #spanMs = SHORTEST_SPAN_MS;

  /** To be called at each evaluation; with `undefined` when the load is not known. */
  record(nowMs: number, load: number | undefined, startupMs: number): void {
    const spanMs = Math.min(Math.max(startupMs, SHORTEST_SPAN_MS), LONGEST_SPAN_MS);
    const newest = this.#parts[0];
    const partMs = spanMs / PARTS;
    const broken = newest === undefined || nowMs < newest.startMs || nowMs >= newest.startMs + 2 * partMs;
    if (load === undefined || spanMs !== this.#spanMs || broken) {
      this.#spanMs = spanMs;
      this.#parts = load === undefined ? [] : [{ startMs: nowMs, sum: load, count: 1 }];
    } else if (nowMs < newest.startMs + partMs) {
      newest.sum += load;
      newest.count += 1;
    } else {
      this.#parts = [{ startMs: newest.startMs + partMs, sum: load, count: 1 }, ...this.#parts].slice(
        0,
        PARTS + 1,
      );
    }
  }

  /** What the load is to be multiplied with; 1 when it does not rise steadily. */
  factor(startupMs: number): number {
    // The newest part is not over yet: until the next one is, it is left out.
    const parts = this.#parts.slice(1);
    if (parts.length < PARTS || parts.some(({ count }) => count < FEWEST_READINGS)) return 1;
    const means = parts.map(({ sum, count }) => sum / count);
    const [newest = 0] = means;
    const rise = newest - (means.at(-1) ?? newest);
    if (!(rise >= LEAST_RISE * newest)) return 1;
    const steady = means.every((mean, index) => {
      const older = means[index + 1];
      return older === undefined || mean - older >= STEADY_SHARE * rise;
    });
    if (!steady) return 1;
    const partMs = this.#spanMs / PARTS;
    const perMs = rise / ((PARTS - 1) * partMs);
    // The newest mean is of the middle of a part that has been over for up to another one.
    const grown = (perMs * (startupMs + partMs)) / newest;
    return Math.min(1 + grown, MOST_FACTOR);
  }
}
