import type { SignsOfUse } from "../core/types.ts";

/**
 * Whether anybody uses a service that may have no replica at all: `waiting` it has none, and somebody is held up until one
 * serves, or has come to the last one when it was told to go · `in use` · `idle` for as long as its policy asks.
 */
export type Activity = "waiting" | "in use" | "idle";

/** Remembers when a service was used last. One that nothing is known of counts as used: absent is not zero. */
export class Idleness {
  readonly #idleMs: number;
  #usedAtMs: number | undefined;

  constructor(idleMs: number) {
    this.#idleMs = idleMs;
  }

  /**
   * @param signs from the balancer; absent: it knows nothing
   * @param queryLevel what the service's query gives, as jobs that wait; absent: it has none, or it is silent
   * @returns undefined when nobody knows
   */
  look(
    nowMs: number,
    hasReplicas: boolean,
    signs: SignsOfUse | undefined,
    queryLevel: number | undefined,
  ): Activity | undefined {
    // A clock that was set back must not keep a service awake for longer than its policy asks.
    this.#usedAtMs = Math.min(this.#usedAtMs ?? nowMs, nowMs);
    if (signs === undefined && queryLevel === undefined) {
      this.#usedAtMs = nowMs;
      return undefined;
    }
    const isUsed = (signs?.waiting ?? 0) + (signs?.open ?? 0) > 0 || (queryLevel ?? 0) > 0;
    if (isUsed) this.#usedAtMs = nowMs;
    this.#usedAtMs = Math.max(this.#usedAtMs, Math.min(signs?.lastRequestAtMs ?? 0, nowMs));
    if (isUsed && !hasReplicas) return "waiting";
    return nowMs - this.#usedAtMs >= this.#idleMs ? "idle" : "in use";
  }
}
