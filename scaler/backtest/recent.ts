/** Forgotten readings that are kept until there are so many of them. */
const SLACK = 256;

/** The readings of the last moments, in the order they came. */
export class Recent {
  readonly #spanMs: number;
  readonly #timesMs: number[] = [];
  readonly #values: number[] = [];
  #first = 0;

  /** @param spanMs for how long a reading is remembered */
  constructor(spanMs: number) {
    this.#spanMs = spanMs;
  }

  add(atMs: number, value: number): void {
    this.#timesMs.push(atMs);
    this.#values.push(value);
    while ((this.#timesMs[this.#first] ?? atMs) < atMs - this.#spanMs) this.#first += 1;
    if (this.#first < SLACK) return;
    this.#timesMs.splice(0, this.#first);
    this.#values.splice(0, this.#first);
    this.#first = 0;
  }

  /** Over the readings after `afterMs` and up to `toMs`; absent when there are none. */
  mean(afterMs: number, toMs: number): number | undefined {
    const { sum, count } = this.#sumOf(afterMs, toMs);
    return count === 0 ? undefined : sum / count;
  }

  /** Of the readings after `afterMs`. */
  total(afterMs: number): number {
    return this.#sumOf(afterMs, Number.POSITIVE_INFINITY).sum;
  }

  /** The least of the readings since `fromMs`, that one included. */
  least(fromMs: number): number {
    return this.#extreme(fromMs, Math.min, Number.POSITIVE_INFINITY);
  }

  /** The most of the readings since `fromMs`, that one included. */
  most(fromMs: number): number {
    return this.#extreme(fromMs, Math.max, Number.NEGATIVE_INFINITY);
  }

  #sumOf(afterMs: number, toMs: number): { sum: number; count: number } {
    let sum = 0;
    let count = 0;
    for (let index = this.#values.length - 1; index >= this.#first; index -= 1) {
      const atMs = this.#timesMs[index] ?? toMs;
      if (atMs <= afterMs) break;
      if (atMs > toMs) continue;
      sum += this.#values[index] ?? 0;
      count += 1;
    }
    return { sum, count };
  }

  #extreme(fromMs: number, pick: (a: number, b: number) => number, start: number): number {
    let extreme = start;
    for (let index = this.#values.length - 1; index >= this.#first; index -= 1) {
      if ((this.#timesMs[index] ?? fromMs) < fromMs) break;
      extreme = pick(extreme, this.#values[index] ?? extreme);
    }
    return extreme;
  }
}
