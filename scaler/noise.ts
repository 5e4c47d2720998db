import { MINUTE_MS } from "../core/units.ts";

/** What was seen this long ago counts a third as much. */
const MEMORY_MS = 10 * MINUTE_MS;

/** How far the last moments of a load lie from its mean over the window, as a share of it, on average. */
export class Noise {
  #ratio = 0;
  #seenMs = 0;
  #lastAtMs: number | undefined;

  /** To be called at each evaluation that read both. */
  record(nowMs: number, mean: number, burst: number): void {
    const sinceMs = Math.max(0, nowMs - (this.#lastAtMs ?? nowMs));
    this.#lastAtMs = nowMs;
    if (!(mean > 0)) return;
    this.#seenMs = Math.min(this.#seenMs + sinceMs, MEMORY_MS);
    // At first the mean of all that was seen, later one that forgets.
    const weight = this.#seenMs === 0 ? 1 : Math.min(1, sinceMs / this.#seenMs);
    this.#ratio += weight * (Math.abs(burst - mean) / mean - this.#ratio);
  }

  get ratio(): number {
    return this.#ratio;
  }
}
