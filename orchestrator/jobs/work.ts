import { isFlyballError, messageOf } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import { MINUTE_MS, SECOND_MS } from "../../core/units.ts";

export interface WorkOptions {
  readonly monotonicMs: () => number;
  readonly log: Log;
  /** Something ended; a look may be due. */
  readonly onEnd: () => void;
}

interface Piece {
  readonly running: boolean;
  /** Looks at the engine that have ended since it did. */
  readonly looks: number;
  readonly failures: number;
  readonly notBeforeMs: number;
}

const AT_ONCE = 8;
/** The look that ends first may have begun before the work did. */
const LOOKS_TO_SETTLE = 2;
const LONGEST_PAUSE_MS = MINUTE_MS;

/**
 * What is being done with the engine, by key: each once at a time, a few together. What throws was not done, and may
 * be tried again after a while.
 */
export class Work implements AsyncDisposable {
  readonly #options: WorkOptions;
  readonly #pieces = new Map<string, Piece>();
  readonly #running = new Set<Promise<void>>();
  readonly #abort = new AbortController();

  constructor(options: WorkOptions) {
    this.#options = options;
  }

  /** It is being done, or was so lately that what was seen may be from before. */
  isUnsettled(key: string): boolean {
    const piece = this.#pieces.get(key);
    return piece !== undefined && (piece.running || piece.looks < LOOKS_TO_SETTLE);
  }

  /** To be called when a look at the engine has ended. */
  looked(): void {
    const nowMs = this.#options.monotonicMs();
    for (const [key, piece] of this.#pieces) {
      if (piece.running) continue;
      // One that failed is remembered for a while, so that its next failure counts as another one in a row.
      const isForgotten = nowMs >= piece.notBeforeMs + (piece.failures === 0 ? 0 : LONGEST_PAUSE_MS);
      if (isForgotten && piece.looks >= LOOKS_TO_SETTLE) this.#pieces.delete(key);
      else this.#pieces.set(key, { ...piece, looks: piece.looks + 1 });
    }
  }

  /** Does it, unless it is unsettled, has failed just now, or enough else is being done. */
  begin(key: string, work: (signal: AbortSignal) => Promise<void>): void {
    const before = this.#pieces.get(key);
    const failures = before?.failures ?? 0;
    // What is asked for again because it is still seen may be done already.
    const mayBegin = !this.isUnsettled(key) && this.#options.monotonicMs() >= (before?.notBeforeMs ?? 0);
    if (!mayBegin || this.#running.size >= AT_ONCE || this.#abort.signal.aborted) return;
    this.#pieces.set(key, { running: true, looks: 0, failures, notBeforeMs: 0 });
    const running = this.#run(key, failures, work).finally(() => {
      this.#running.delete(running);
      if (!this.#abort.signal.aborted) this.#options.onEnd();
    });
    this.#running.add(running);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await Promise.allSettled(this.#running);
  }

  async #run(key: string, failures: number, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const settled = { running: false, looks: 0 };
    try {
      await work(this.#abort.signal);
      this.#pieces.set(key, { ...settled, failures: 0, notBeforeMs: 0 });
    } catch (error) {
      const pauseMs = Math.min(SECOND_MS * 2 ** Math.min(failures, 10), LONGEST_PAUSE_MS);
      const notBeforeMs = this.#options.monotonicMs() + pauseMs;
      this.#pieces.set(key, { ...settled, failures: failures + 1, notBeforeMs });
      if (this.#abort.signal.aborted) return;
      const about = {
        work: key,
        ...(isFlyballError(error) ? { code: error.code } : {}),
        problem: messageOf(error),
      };
      this.#options.log.warn(about, "a task could not be worked on");
    }
  }
}
