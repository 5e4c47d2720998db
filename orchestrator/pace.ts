import type { Clock } from "../core/clock.ts";

export interface PaceOptions {
  readonly clock: Clock;
  /** From the end of one look to the next one that can wait. */
  readonly spacingMs: number;
  readonly look: () => void;
}

/** Asks for looks that can wait, so that many reasons in a row lead to few looks. */
export class Pace implements Disposable {
  readonly #options: PaceOptions;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: PaceOptions) {
    this.#options = options;
  }

  /** A look has ended, whoever asked for it. */
  looked(): void {
    this.#lookedMs = this.#options.clock.monotonicMs();
  }

  /** Asks for one as soon as the last one is long enough ago. */
  soon(): void {
    const { clock, spacingMs, look } = this.#options;
    if (this.#timer !== undefined) return;
    const waitMs = this.#lookedMs + spacingMs - clock.monotonicMs();
    if (waitMs <= 0) look();
    else {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        look();
      }, waitMs);
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
