import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { Store } from "../core/store.ts";
import type { ObservedState, ReplicaId, ServiceId } from "../core/types.ts";
import type { Engine } from "./engine.ts";
import type { ActionResult } from "./executor.ts";
import type { Capacity, ReconcileInput } from "./reconcile/input.ts";
import type { TrafficOf } from "./rollout/evidence.ts";
import type { Scenes } from "./scene/scenes.ts";

/** What the orchestrator works with, and whom it tells. */
export interface OrchestratorOptions {
  readonly engine: Engine;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** What reservations may add up to; absent: everything fits. */
  readonly capacity?: Capacity;
  /** What others know that a plan looks at. */
  readonly circumstances?: () => Pick<ReconcileInput, "load" | "succeededJobs">;
  /** Keeps what replicas that failed leave behind; absent: nothing is kept. */
  readonly scenes?: Pick<Scenes, "see" | "before">;
  /** Before a replica is told to stop; resolves when it has nothing left to do, or the grace is over. */
  readonly beforeStop?: (replica: ReplicaId, graceMs: number, signal: AbortSignal) => Promise<void>;
  /** After each pass that saw the engine. */
  readonly onObserved: (observed: ObservedState) => void;
  readonly onAction: (result: ActionResult) => void;
  /** What the balancer counts for a replica; absent: nobody counts, and no trial goes on by itself. */
  readonly trafficOf?: TrafficOf;
  /** Somebody else has changed the count of the service, which was settled. */
  readonly onExternalChange?: (service: ServiceId) => void;
}
