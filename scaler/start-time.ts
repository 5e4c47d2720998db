import type { ObservedReplica, ReplicaId } from "../core/types.ts";
import { SECOND_MS } from "../core/units.ts";

/** What a replica is taken to need until one was seen to start. */
const UNSEEN_MS = 10 * SECOND_MS;
const KEPT = 5;

/** How long replicas of one service take from being made to being ready, learned from those that were watched. */
export class StartTime {
  readonly #starting = new Set<ReplicaId>();
  #latest: readonly number[] = [];

  observe(replicas: readonly ObservedReplica[]): void {
    for (const { id, state, createdAtMs, readyAtMs } of replicas) {
      // One that was ready when it was first seen may have become so long before.
      if (state === "created" || state === "starting") this.#starting.add(id);
      else if (this.#starting.delete(id) && state === "running" && createdAtMs !== undefined) {
        const tookMs = (readyAtMs ?? Number.NaN) - createdAtMs;
        if (tookMs >= 0) this.#latest = [tookMs, ...this.#latest].slice(0, KEPT);
      }
    }
    const there = new Set(replicas.map(({ id }) => id));
    for (const id of this.#starting) if (!there.has(id)) this.#starting.delete(id);
  }

  /** The longest of the latest: who counts on less is late. */
  get expectedMs(): number {
    return this.learnedMs ?? UNSEEN_MS;
  }

  /** The same; undefined until one was seen to start. */
  get learnedMs(): number | undefined {
    return this.#latest.length === 0 ? undefined : Math.max(...this.#latest);
  }
}
