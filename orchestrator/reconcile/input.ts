import type { ObservedState, Project, ServiceId } from "../../core/types.ts";
import type { Attempts } from "../backoff.ts";

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

export interface ReconcileInput {
  readonly nowMs: number;
  readonly desired: readonly DesiredProject[];
  readonly observed: ObservedState;
  readonly inFlight: InFlight;
  /** Failures in a row, by slot or resource key. */
  readonly attempts: ReadonlyMap<string, Attempts>;
}
