import type { Clock } from "./clock.ts";

export interface LoopOptions {
  /** From the start of one pass to the start of the next. */
  readonly intervalMs: number;
  /** After a pass that threw: doubled at each failure in a row, from the interval up to this. */
  readonly maxBackoffMs: number;
  readonly clock: Clock;
  /** One pass; looks at the whole. Stops early when the signal says so. */
  readonly pass: (signal: AbortSignal) => Promise<void>;
  /** A pass threw. The loop goes on. */
  readonly onError: (error: unknown) => void;
}

/**
 * Runs one pass at a time, for ever. It is level-triggered: a nudge carries no news and only brings the next pass
 * forward; any number of nudges during a pass lead to one more pass.
 *
 * Modes: `idle` (made, or stopped) → `running` ⇄ `waiting` → `idle`.
 */
export class Loop implements AsyncDisposable {
  readonly #options: LoopOptions;
  #abort: AbortController | undefined;
  #finished: Promise<void> = Promise.resolve();
  #nudged = false;
  #wake: (() => void) | undefined;
  #failures = 0;

  constructor(options: LoopOptions) {
    this.#options = options;
  }

  /** Starts the first pass at once. Starting twice is starting once. */
  start(): void {
    if (this.#abort !== undefined) return;
    this.#abort = new AbortController();
    this.#finished = this.#run(this.#abort.signal);
  }

  /** Brings the next pass forward. */
  nudge(): void {
    this.#nudged = true;
    this.#wake?.();
  }

  /** Ends the wait, aborts the pass that runs, and resolves when it has ended. May be called twice. */
  async stop(): Promise<void> {
    const abort = this.#abort;
    abort?.abort();
    this.#wake?.();
    await this.#finished;
    // Somebody may have started it anew by now.
    if (this.#abort === abort) this.#abort = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, intervalMs, maxBackoffMs, pass, onError } = this.#options;
    while (!signal.aborted) {
      const startedMs = clock.monotonicMs();
      this.#nudged = false;
      try {
        await pass(signal);
        this.#failures = 0;
      } catch (error) {
        if (signal.aborted) break;
        this.#failures += 1;
        onError(error);
      }
      const pauseMs = Math.min(
        intervalMs * 2 ** Math.min(this.#failures, 20),
        Math.max(intervalMs, maxBackoffMs),
      );
      // A nudge does not shorten the back-off: an engine that is down sends many.
      const patient = this.#failures > 0;
      await this.#wait(startedMs + pauseMs - clock.monotonicMs(), patient, signal);
    }
  }

  async #wait(waitMs: number, patient: boolean, signal: AbortSignal): Promise<void> {
    if (signal.aborted || waitMs <= 0 || (this.#nudged && !patient)) {
      // Always let other work run between two passes.
      await new Promise((resolve) => setImmediate(resolve));
      return;
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.#wake = () => {
        if (patient && !signal.aborted) return;
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}
