import type { ReplicaId } from "../../core/types.ts";

/** More at once would only queue in the engine, and stand before what others ask of it. */
const CONCURRENCY = 4;

/**
 * Containers that are to be looked at, a few at a time. One that is asked for while it is being looked at is looked at
 * once more: the answer on its way may be older than the reason.
 */
export class LookQueue {
  readonly #look: (id: ReplicaId) => Promise<void>;
  readonly #waiting = new Set<ReplicaId>();
  readonly #urgent = new Set<ReplicaId>();
  readonly #running = new Map<ReplicaId, { again: boolean }>();
  #idle: PromiseWithResolvers<void> | undefined;

  /** `look` must not throw. */
  constructor(look: (id: ReplicaId) => Promise<void>) {
    this.#look = look;
  }

  get size(): number {
    return this.#waiting.size + this.#urgent.size + this.#running.size;
  }

  /** Urgent ones come before all others. */
  add(id: ReplicaId, { urgent = false } = {}): void {
    if (this.again(id)) return;
    if (urgent) this.#waiting.delete(id);
    (urgent ? this.#urgent : this.#waiting).add(id);
    this.#fill();
  }

  /** Once more, if it is being looked at: what is on its way is outdated. */
  again(id: ReplicaId): boolean {
    const running = this.#running.get(id);
    if (running !== undefined) running.again = true;
    return running !== undefined;
  }

  /** Nothing waits any more; what runs ends by itself. */
  clear(): void {
    this.#waiting.clear();
    this.#urgent.clear();
    for (const running of this.#running.values()) running.again = false;
  }

  /** Resolves when everything was looked at. */
  whenIdle(): Promise<void> {
    if (this.size === 0) return Promise.resolve();
    this.#idle ??= Promise.withResolvers();
    return this.#idle.promise;
  }

  #fill(): void {
    for (const waiting of [this.#urgent, this.#waiting]) {
      for (const id of waiting) {
        if (this.#running.size >= CONCURRENCY) return;
        waiting.delete(id);
        void this.#run(id);
      }
    }
  }

  async #run(id: ReplicaId): Promise<void> {
    const state = { again: false };
    this.#running.set(id, state);
    do {
      state.again = false;
      await this.#look(id);
    } while (state.again);
    this.#running.delete(id);
    this.#fill();
    if (this.size > 0) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }
}
