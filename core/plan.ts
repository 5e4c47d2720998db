import type { ReplicaId, ServiceId } from "./ids.ts";

interface ActionBase {
  /** Unique in its plan. */
  readonly id: number;
  /** Actions that must have succeeded first. */
  readonly after: readonly number[];
  /** Why, for a person. */
  readonly cause: string;
}

interface SlotAction extends ActionBase {
  readonly service: ServiceId;
  readonly slot: number;
}

/** One engine call. */
export type Action =
  | (ActionBase & { readonly kind: "pull-image"; readonly image: string })
  | (ActionBase & { readonly kind: "create-network"; readonly project: string; readonly network: string })
  | (ActionBase & { readonly kind: "create-volume"; readonly project: string; readonly volume: string })
  | (ActionBase & { readonly kind: "remove-network"; readonly project: string; readonly network: string })
  /**
   * `cloneOf`: from that replica as the engine has it (compose made it); absent: from the service's template.
   * `templateHash`: from that revision of it; absent: from the one that is desired.
   */
  | (SlotAction & {
      readonly kind: "create-replica";
      readonly cloneOf?: ReplicaId;
      readonly templateHash?: string;
    })
  /** `replica` absent: the one that this plan created in that slot. */
  | (SlotAction & { readonly kind: "start-replica"; readonly replica?: ReplicaId })
  | (SlotAction & { readonly kind: "stop-replica"; readonly replica: ReplicaId })
  /** With its anonymous volumes. */
  | (SlotAction & { readonly kind: "remove-replica"; readonly replica: ReplicaId });

export interface Plan {
  readonly actions: readonly Action[];
  /** What was left as it is though it is not as desired, and why. */
  readonly holds: readonly Hold[];
}

/**
 * `observation` the engine could not be read completely · `single-replica` the service cannot have two · `capacity` what
 * it reserves does not fit the host, and asking for more cannot help · `dependency` waits for another service ·
 * `resource` waits for, or lacks, an image, network or volume · `retry` an action failed lately · `crash-loop` its
 * replica ends again and again · `rollout` goes on later · `paused` by a person · `ended` and is not to be restarted ·
 * `unhealthy` · `foreign` made by somebody else · `external` left as somebody else has made it
 */
export type HoldKind =
  | "observation"
  | "single-replica"
  | "capacity"
  | "dependency"
  | "resource"
  | "retry"
  | "crash-loop"
  | "rollout"
  | "paused"
  | "ended"
  | "unhealthy"
  | "foreign"
  | "external";

export interface Hold {
  readonly service: ServiceId;
  readonly slot?: number;
  readonly kind?: HoldKind;
  readonly reason: string;
}
