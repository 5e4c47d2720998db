import type { Hold, ObservedReplica, ObservedState, Service, ServiceId } from "../core/types.ts";
import type { Catalog } from "./catalog.ts";
import type { Capacity } from "./reconcile/input.ts";
import { Ledger } from "./reconcile/ledger.ts";
import type { Rollout } from "./rollout/rollout.ts";

/** What is known of replicas and services at one moment. */
export interface Sight {
  readonly catalog: Catalog;
  readonly replicasOf: (service: ServiceId) => readonly ObservedReplica[];
  /** What one more lacks, of a service of which some find no room; absent: all that are wanted have theirs. */
  readonly shortOf: (service: ServiceId) => string | undefined;
  /** What one more of it would lack on the host now; absent: it would fit. */
  readonly lackOf: (service: Service) => string | undefined;
}

export function sightOf({
  catalog,
  observed,
  replicasOf,
  holdsOf,
  capacity,
  rollouts,
}: {
  readonly catalog: Catalog;
  readonly observed: ObservedState | undefined;
  readonly replicasOf: Sight["replicasOf"];
  /** Of the last plan. */
  readonly holdsOf: (service: ServiceId) => readonly Hold[];
  readonly capacity: Capacity | undefined;
  readonly rollouts: ReadonlyMap<ServiceId, Rollout>;
}): Sight {
  return {
    catalog,
    replicasOf,
    shortOf: (service) => holdsOf(service).find(({ kind }) => kind === "capacity")?.reason,
    lackOf: ({ template }) => {
      if (capacity === undefined || observed === undefined) return undefined;
      const ledger = new Ledger(capacity, catalog.projects, observed.replicas, new Map(), rollouts);
      return ledger.lacks(template.resources);
    },
  };
}
