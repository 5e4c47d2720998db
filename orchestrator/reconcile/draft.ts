import type { Action, Hold, HoldKind, ObservedReplica, Plan, ServiceId } from "../../core/types.ts";
import { formatDuration } from "../../core/units.ts";
import { type Attempts, retryAtMs } from "../backoff.ts";
import { removalKey, slotKey } from "./keys.ts";

type DistributiveOmit<T, Key extends PropertyKey> = T extends unknown ? Omit<T, Key> : never;

/** So many failures in a row are no accident. */
const CRASH_LOOP_FAILURES = 5;

/** A plan that is being written. */
export class Draft {
  readonly #nowMs: number;
  readonly #attempts: ReadonlyMap<string, Attempts>;
  readonly #actions: Action[] = [];
  readonly #holds: Hold[] = [];

  constructor(nowMs: number, attempts: ReadonlyMap<string, Attempts>) {
    this.#nowMs = nowMs;
    this.#attempts = attempts;
  }

  get plan(): Plan {
    return { actions: this.#actions, holds: this.#holds };
  }

  push(action: DistributiveOmit<Action, "id">): number {
    const id = this.#actions.length;
    this.#actions.push({ ...action, id });
    return id;
  }

  hold(service: ServiceId, kind: HoldKind, reason: string, slot?: number): void {
    this.#holds.push({ service, ...(slot === undefined ? {} : { slot }), kind, reason });
  }

  failures(service: ServiceId, slot: number): number {
    if (this.#attempts.size === 0) return 0;
    return this.#attempts.get(slotKey(service, slot))?.failures ?? 0;
  }

  /** True when the last attempt failed so lately that the next one has to wait. */
  holdForRetry(service: ServiceId, key: string, slot?: number): boolean {
    const attempts = this.#attempts.get(key);
    if (attempts === undefined) return false;
    const waitMs = retryAtMs(attempts) - this.#nowMs;
    if (waitMs <= 0) return false;
    const times = attempts.failures === 1 ? "once" : `${attempts.failures} times in a row`;
    const loops =
      attempts.failures >= CRASH_LOOP_FAILURES && slot !== undefined && key === slotKey(service, slot);
    const what = loops ? `is in a crash loop: failed ${times}` : `failed ${times}`;
    const reason = `${what} (${attempts.reason}); tried again in ${formatDuration(waitMs)}`;
    this.hold(service, loops ? "crash-loop" : "retry", reason, slot);
    return true;
  }

  /** The planned actions after which it is gone; undefined when that has failed lately and has to wait. */
  remove(
    replica: ObservedReplica,
    cause: string,
    after: readonly number[] = [],
  ): readonly number[] | undefined {
    const { service, slot, id, state } = replica;
    if (this.holdForRetry(service, removalKey(slotKey(service, slot)), slot)) return undefined;
    const runs = state !== "exited" && state !== "created";
    const stopped = runs
      ? [this.push({ kind: "stop-replica", service, slot, replica: id, after, cause })]
      : after;
    return [this.push({ kind: "remove-replica", service, slot, replica: id, after: stopped, cause })];
  }
}
