/** About as long as a timer is late anyhow. */
const SLICE_MS = 5;

/** Cuts long work into slices, so that what came meanwhile is served between two. */
export class Slices {
  readonly #now: () => number;
  #fromMs: number;

  /** `now` is a clock that never goes back, in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
    this.#fromMs = now();
  }

  /** The slice took its time: `next` is to be awaited before the work goes on. */
  get isOver(): boolean {
    return this.#now() - this.#fromMs >= SLICE_MS;
  }

  async next(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#fromMs = this.#now();
  }
}
