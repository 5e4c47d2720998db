import { MINUTE_MS } from "../../../core/units.ts";

/** Means over whole minutes, one after the other, as a cloud's monitoring keeps them. */
export class MinuteMeans {
  #endsAtMs: number | undefined;
  #sum = 0;
  #count = 0;

  /** The mean of the minute that was over when this reading came; absent while it lasts. */
  add(atMs: number, value: number): number | undefined {
    this.#endsAtMs ??= atMs + MINUTE_MS;
    let mean: number | undefined;
    if (atMs >= this.#endsAtMs) {
      mean = this.#sum / this.#count;
      this.#endsAtMs += MINUTE_MS;
      this.#sum = 0;
      this.#count = 0;
    }
    this.#sum += value;
    this.#count += 1;
    return mean;
  }
}
