import type { ObservedState, Project, ReplicaId, ServiceId } from "../../core/types.ts";
import type { Attempts } from "../backoff.ts";
import type { Rollout } from "../rollout/rollout.ts";

/** A project as it should be: services with their counts, or, when it is being removed, nothing at all. */
export interface DesiredProject {
  readonly project: Project;
  readonly replicas: ReadonlyMap<ServiceId, number>;
  readonly removing: boolean;
}

/** Keys of what running actions work on: a slot (`slotKey`) or a resource (`resourceKey`). */
export interface InFlight {
  /** Slots that will hold a running replica. */
  readonly arriving: ReadonlySet<string>;
  /** Slots whose replica is on its way out, or being replaced. */
  readonly leaving: ReadonlySet<string>;
  readonly resources: ReadonlySet<string>;
}

/** What reservations may add up to. */
export interface Capacity {
  readonly cores: number;
  readonly memoryBytes: number;
  /** 1: no more than there is; 1.5: half as much again. */
  readonly overcommitRatio: number;
}

export interface ReconcileInput {
  readonly nowMs: number;
  readonly desired: readonly DesiredProject[];
  readonly observed: ObservedState;
  readonly inFlight: InFlight;
  /** Failures in a row, by slot or resource key. */
  readonly attempts: ReadonlyMap<string, Attempts>;
  /** Services of which nothing is planned now, and why. */
  readonly left?: ReadonlyMap<ServiceId, string>;
  /** Replicas that were being taken away, perhaps by a daemon before this one; absent: none. */
  readonly takenAway?: ReadonlySet<ReplicaId>;
  /** Where each service is on its way to its template; absent: it is there. */
  readonly rollouts?: ReadonlyMap<ServiceId, Rollout>;
  /** Jobs of which nobody has to wait for a run any more. */
  readonly succeededJobs?: ReadonlySet<ServiceId>;
  /** Cores that each replica uses; absent: unknown. */
  readonly load?: ReadonlyMap<ReplicaId, number>;
  /** Absent: everything fits. */
  readonly capacity?: Capacity;
}
