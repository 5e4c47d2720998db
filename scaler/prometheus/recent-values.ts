import { MINUTE_MS } from "../../core/units.ts";
import type { Reading } from "../observe.ts";

/** As long as the longest window a policy may have. */
const KEPT_MS = 15 * MINUTE_MS;

/** The last values of one expression, with the instants they are of. */
export class RecentValues {
  #values: { readonly atMs: number; readonly value: number }[] = [];

  add(atMs: number, value: number): void {
    // What was to come before a clock was set back is of no time any more.
    this.#values = this.#values.filter((kept) => kept.atMs > atMs - KEPT_MS && kept.atMs < atMs);
    this.#values.push({ atMs, value });
  }

  /** Of the span that is open at its start and closed at its end; absent when there is no value in it. */
  reading(fromMs: number, toMs: number): Reading | undefined {
    let sum = 0;
    let count = 0;
    let newestAtMs = Number.NEGATIVE_INFINITY;
    for (const { atMs, value } of this.#values) {
      if (atMs <= fromMs || atMs > toMs) continue;
      sum += value;
      count += 1;
      newestAtMs = Math.max(newestAtMs, atMs);
    }
    return count === 0 ? undefined : { mean: sum / count, newestAtMs };
  }
}
