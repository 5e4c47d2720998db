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
  /** Newest first; the newest is not over yet. */
  readonly #parts: Part[] = [];
  #spanMs = SHORTEST_SPAN_MS;
  /** How much the load grows in a millisecond, as a share of what it is; 0 when it does not rise steadily. */
  #growthPerMs = 0;

  /** To be called at each evaluation; with `undefined` when the load is not known. */
  record(nowMs: number, load: number | undefined, startupMs: number): void {
    const spanMs = Math.min(Math.max(startupMs, SHORTEST_SPAN_MS), LONGEST_SPAN_MS);
    const newest = this.#parts[0];
    const partMs = spanMs / PARTS;
    const broken = newest === undefined || nowMs < newest.startMs || nowMs >= newest.startMs + 2 * partMs;
    if (load === undefined || spanMs !== this.#spanMs || broken) {
      this.#spanMs = spanMs;
      this.#growthPerMs = 0;
      this.#parts.length = 0;
      if (load !== undefined) this.#parts.push({ startMs: nowMs, sum: load, count: 1 });
    } else if (nowMs < newest.startMs + partMs) {
      newest.sum += load;
      newest.count += 1;
    } else {
      this.#growthPerMs = growthPerMs(this.#parts, partMs);
      this.#parts.unshift({ startMs: newest.startMs + partMs, sum: load, count: 1 });
      this.#parts.length = Math.min(this.#parts.length, PARTS);
    }
  }

  /** What the load is to be multiplied with; 1 when it does not rise steadily. */
  factor(startupMs: number): number {
    if (this.#growthPerMs === 0) return 1;
    // The newest mean is of the middle of a part that has been over for up to another one.
    return Math.min(1 + this.#growthPerMs * (startupMs + this.#spanMs / PARTS), MOST_FACTOR);
  }
}

function growthPerMs(parts: readonly Part[], partMs: number): number {
  if (parts.length < PARTS || parts.some(({ count }) => count < FEWEST_READINGS)) return 0;
  const means = parts.map(({ sum, count }) => sum / count);
  const [newest = 0] = means;
  const rise = newest - (means.at(-1) ?? newest);
  if (!(rise > 0 && rise >= LEAST_RISE * newest)) return 0;
  const steady = means.every((mean, index) => {
    const older = means[index + 1];
    return older === undefined || mean - older >= STEADY_SHARE * rise;
  });
  return steady ? rise / ((PARTS - 1) * partMs) / newest : 0;
}
