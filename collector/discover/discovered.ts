import type { Endpoint, ReplicaId } from "../../core/types.ts";

/** One container or process to be read, and how it is named to the outside. */
export interface Discovered {
  /** The engine's full id. */
  readonly id: ReplicaId;
  readonly kind: "container" | "process";
  /** Its first process; changes when it is started again. */
  readonly pid: number;
  /** Without a leading slash. */
  readonly name: string;
  /** As it was asked for: `shop/web:1.4`; absent for a process. */
  readonly image?: string;
  /** Every label of the engine, as it is written there; which of them are shown is not for the discovery to say. */
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAtMs?: number;
  readonly startedAtMs?: number;
  /** How often the engine started it again. */
  readonly restarts?: number;
  readonly health?: "starting" | "healthy" | "unhealthy";
  /** How its network is joined: a namespace `own` to it, `none`, the `host`'s, or `shared` with another container. */
  readonly network: "own" | "none" | "host" | "shared";
  readonly limits: DiscoveredLimits;
  /** Directory of its writable layer, as a path of the host; absent where the engine does not say. */
  readonly writableLayer?: string;
  readonly volumes: readonly { readonly name: string; readonly path: string; readonly target: string }[];
  /** Where it answers, from here: an address of its own, or the host's when it shares the host's network. */
  readonly address?: string;
  /** Where single ports of it answer instead, from here. */
  readonly endpoints?: readonly Endpoint[];
}

/** What the container was given; absent means no limit. */
export interface DiscoveredLimits {
  readonly cpuQuotaMicroseconds?: number;
  readonly cpuPeriodMicroseconds?: number;
  readonly cpuShares?: number;
  readonly memoryBytes?: number;
  readonly memoryReservationBytes?: number;
  readonly memorySwapBytes?: number;
}

/** Where containers are found. The list is always whole. */
export interface Discovery {
  /** What is known now; while the source is silent, what was known last. */
  readonly containers: ReadonlyMap<ReplicaId, Discovered>;
  /** When the list was last read completely; absent before the first time. */
  readonly listedAtMs: number | undefined;
  /** Why nothing new is heard at the moment; absent: the list is kept up to date. */
  readonly trouble: string | undefined;
  readonly counts: LifecycleCounts;
}

/** Counters of what happened to containers, those that lived too briefly for a sample among them. */
export interface LifecycleCounts {
  readonly starts: number;
  readonly deaths: number;
  /** Containers that had ended before they could be looked at. */
  readonly endedUnseen: number;
  readonly oomEvents: number;
}
