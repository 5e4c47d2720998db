import type { ObservedReplica, ObservedState, ReplicaId, Service, ServiceId } from "../core/types.ts";
import { SECOND_MS } from "../core/units.ts";
import { type Attempts, failedAgain } from "./backoff.ts";
import { runOf } from "./readiness.ts";
import type { InFlight } from "./reconcile/input.ts";
import { slotKey } from "./reconcile/keys.ts";

/** A replica that has run for this long has left its failures behind. */
const STEADY_MS = 10 * SECOND_MS;

/** Failures in a row by slot or resource: of actions, and of replicas that ended or ceased to live by themselves. */
export class Failures {
  readonly #attempts = new Map<string, Attempts>();
  readonly #counted = new Map<string, string>();
  /** Said by the engine to have been started, and not looked at since. */
  #started = new Set<ReplicaId>();

  get attempts(): ReadonlyMap<string, Attempts> {
    return this.#attempts;
  }

  failed(key: string, reason: string, nowMs: number): void {
    this.#attempts.set(key, failedAgain(this.#attempts.get(key), { nowMs, reason }));
  }

  forget(key: string): void {
    this.#attempts.delete(key);
  }

  /** The engine says that it was started: the next look shows whether it was. */
  started(replica: ReplicaId): void {
    this.#started.add(replica);
  }

  /** Counts each end of a replica once, unless we ended it, and forgets those of slots that are steady since. */
  observed(
    observed: ObservedState,
    inFlight: InFlight,
    service: (id: ServiceId) => Service | undefined,
  ): void {
    const started = this.#started;
    this.#started = new Set();
    for (const replica of observed.replicas) {
      const failure = failureOf(replica);
      // Nearly all of them, nearly always.
      if (failure === undefined && this.#attempts.size + this.#counted.size + started.size === 0) continue;
      const key = slotKey(replica.service, replica.slot);
      const wasStarted = started.has(replica.id);
      if (inFlight.arriving.has(key) || inFlight.leaving.has(key)) {
        if (wasStarted) this.#started.add(replica.id);
        continue;
      }
      const fail = (reason: string): void => {
        const delayMs = service(replica.service)?.template.restart.delayMs;
        const what = { nowMs: observed.atMs, reason, ...(delayMs === undefined ? {} : { delayMs }) };
        this.#attempts.set(key, failedAgain(this.#attempts.get(key), what));
      };
      if (failure !== undefined) {
        if (this.#counted.get(key) === runOf(replica)) continue;
        this.#counted.set(key, runOf(replica));
        fail(failure);
      } else if (wasStarted && replica.state === "created") {
        fail("it was started and does not run");
      } else if (replica.readyAtMs !== undefined && observed.atMs - replica.readyAtMs >= STEADY_MS) {
        this.#attempts.delete(key);
        this.#counted.delete(key);
      }
    }
  }
}

function failureOf({ state, live, exitCode }: ObservedReplica): string | undefined {
  if (live === false) return "it was unhealthy";
  if (state !== "exited") return undefined;
  return exitCode === undefined ? "it ended" : `it ended with status ${exitCode}`;
}
