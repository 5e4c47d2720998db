import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { Loop } from "../../core/loop.ts";
import { SECOND_MS } from "../../core/units.ts";
import type { Reading } from "../observe.ts";
import type { QueryOutcome, QueryTrouble, TroubleKind } from "./answer.ts";
import { RecentValues } from "./recent-values.ts";
import { Turnstile } from "./turnstile.ts";

const INTERVAL_MS = 2 * SECOND_MS;
const MAX_BACKOFF_MS = 30 * SECOND_MS;
/** Prometheus itself evaluates twenty queries at once unless told otherwise, and others ask as well. */
const MOST_AT_ONCE = 8;
/** What may be otherwise in a moment, and costs the server nothing: no reason to ask less often. */
const PASSING: ReadonlySet<TroubleKind> = new Set(["empty", "not a number"]);

export interface QueryWatcherOptions {
  readonly ask: (expression: string, signal: AbortSignal) => Promise<QueryOutcome>;
  readonly clock: Clock;
  readonly log: Log;
  /** From one question to the next; 2 s unless it is said. */
  readonly intervalMs?: number;
  readonly maxBackoffMs?: number;
}

interface Watched {
  readonly loop: Loop;
  readonly values: RecentValues;
  trouble: QueryTrouble | undefined;
}

/** Keeps the recent values of expressions. Each is asked for once, for however many services. */
export class QueryWatcher implements AsyncDisposable {
  readonly #options: QueryWatcherOptions;
  readonly #turnstile = new Turnstile(MOST_AT_ONCE);
  readonly #watched = new Map<string, Watched>();
  readonly #stopping = new Set<Promise<void>>();

  constructor(options: QueryWatcherOptions) {
    this.#options = options;
  }

  /** From now on these are asked for, and no others. */
  setExpressions(expressions: Iterable<string>): void {
    const wanted = new Set(expressions);
    for (const [expression, { loop }] of this.#watched) {
      if (wanted.has(expression)) continue;
      this.#watched.delete(expression);
      const stopped = loop.stop().finally(() => this.#stopping.delete(stopped));
      this.#stopping.add(stopped);
    }
    for (const expression of wanted) if (!this.#watched.has(expression)) this.#watch(expression);
  }

  /** The mean of the values in a span that is open at its start; absent when there is none. */
  reading(expression: string, fromMs: number, toMs: number): Reading | undefined {
    return this.#watched.get(expression)?.values.reading(fromMs, toMs);
  }

  /** Why the last question was not answered with a number; absent when it was, and before it was asked. */
  trouble(expression: string): QueryTrouble | undefined {
    return this.#watched.get(expression)?.trouble;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.setExpressions([]);
    await Promise.all(this.#stopping);
  }

  #watch(expression: string): void {
    const { clock, intervalMs = INTERVAL_MS, maxBackoffMs = MAX_BACKOFF_MS } = this.#options;
    const watched: Watched = {
      values: new RecentValues(),
      trouble: undefined,
      loop: new Loop({
        intervalMs,
        maxBackoffMs,
        clock,
        pass: (signal) => this.#turnstile.pass(() => this.#ask(expression, watched, signal), signal),
        // Whatever was wrong has been said already.
        onError: () => undefined,
      }),
    };
    this.#watched.set(expression, watched);
    watched.loop.start();
  }

  /** @throws when it should be asked for less often */
  async #ask(expression: string, watched: Watched, signal: AbortSignal): Promise<void> {
    const { ask, clock } = this.#options;
    // Of the instant of the question: nothing in the answer can be older than that without being stale there.
    const atMs = clock.nowMs();
    const outcome = await ask(expression, signal);
    const trouble = "trouble" in outcome ? outcome.trouble : undefined;
    if ("value" in outcome) watched.values.add(atMs, outcome.value);
    this.#noteChange(expression, watched.trouble, trouble);
    watched.trouble = trouble;
    if (trouble !== undefined && !PASSING.has(trouble.kind)) throw new Error(trouble.message);
  }

  #noteChange(expression: string, before: QueryTrouble | undefined, now: QueryTrouble | undefined): void {
    if (before?.kind === now?.kind) return;
    const { log } = this.#options;
    if (now === undefined) log.info({ expression }, "the query gives a number again");
    else log.warn({ expression, trouble: now.kind }, `the query gives no number: ${now.message}`);
  }
}
