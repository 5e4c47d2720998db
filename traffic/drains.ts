import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../core/clock.ts";
import type { ReplicaId } from "../core/types.ts";

const LOOK_EVERY_MS = 50;
/** A replica that is still there so long after its drain was not stopped after all, and takes requests again. */
const FORGOTTEN_AFTER_MS = 30_000;

export interface DrainsOptions {
  readonly clock: Clock;
  /** Resolves when the replica, and whoever else drains, gets nothing new any more. */
  readonly close: (replica: ReplicaId) => Promise<void>;
  /** What it still has. @throws when that is not known */
  readonly open: (replica: ReplicaId) => Promise<number>;
  /** Who drains has changed. */
  readonly onChange: () => void;
}

/** Replicas on their way out: they finish what they have and get nothing new. */
export class Drains {
  readonly #options: DrainsOptions;
  /** Until when each of them counts as leaving; no end while its drain goes on. */
  readonly #untilMs = new Map<ReplicaId, number>();

  constructor(options: DrainsOptions) {
    this.#options = options;
  }

  get replicas(): ReadonlySet<ReplicaId> {
    const nowMs = this.#options.clock.monotonicMs();
    for (const [replica, untilMs] of this.#untilMs) if (untilMs <= nowMs) this.#untilMs.delete(replica);
    return new Set(this.#untilMs.keys());
  }

  /**
   * Resolves when the replica has nothing left, when the grace is over, or when the signal says so; in the last case it
   * takes requests again.
   */
  async drain(replica: ReplicaId, graceMs: number, signal?: AbortSignal): Promise<void> {
    const { clock, close, open, onChange } = this.#options;
    const deadlineMs = clock.monotonicMs() + graceMs;
    const isOver = () => signal?.aborted === true || clock.monotonicMs() >= deadlineMs;
    this.#untilMs.set(replica, Number.POSITIVE_INFINITY);
    const waiting = new AbortController();
    const ends = [waiting.signal, ...(signal === undefined ? [] : [signal])];
    const pause = (waitMs: number) =>
      sleep(waitMs, undefined, { signal: AbortSignal.any(ends) }).catch(() => {});
    await Promise.race([close(replica), pause(graceMs)]);
    waiting.abort();
    while (!isOver()) {
      try {
        if ((await open(replica)) === 0) break;
      } catch {
        // The balancer is being started again; the next look asks anew.
      }
      const waitMs = Math.max(0, Math.min(LOOK_EVERY_MS, deadlineMs - clock.monotonicMs()));
      await sleep(waitMs, undefined, signal === undefined ? {} : { signal }).catch(() => {});
    }
    if (signal?.aborted === true) this.#untilMs.delete(replica);
    else this.#untilMs.set(replica, clock.monotonicMs() + FORGOTTEN_AFTER_MS);
    onChange();
  }
}
