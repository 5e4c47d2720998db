import type { AuditLine, Readiness, ServiceView } from "../../../../core/wire.ts";
import type { AlertView, ChannelView, SilenceView } from "../../../../core/wire-alerts.ts";
import type { JobAnswer } from "../../../../core/wire-jobs.ts";
import type { StreamPosition, StreamSamples } from "../../../../core/wire-stream.ts";
import type { Happening } from "./timeline.ts";

/** All that the page shows, as plain values. Every change makes a new one that shares what did not change. */
export interface World {
  /** In the order of the API; absent ones are still loaded. */
  readonly services: ReadonlyMap<string, ServiceState> | undefined;
  readonly alerts: readonly AlertView[];
  readonly channels: readonly ChannelView[];
  readonly silences: readonly SilenceView[];
  /** Newest first. */
  readonly timeline: readonly Happening[];
  readonly readiness: Readiness | undefined;
  readonly link: Link;
  /** The last event that was seen. */
  readonly position: StreamPosition | undefined;
  /** By the clock of the daemon. */
  readonly figuresAtMs: number | undefined;
  /** By the clock of the page, which may be wrong about everything but spans. */
  readonly figuresHeardAtMs: number | undefined;
  /** The stream has told that there is more to ask for. */
  readonly outdated: { readonly services: boolean; readonly alerts: boolean };
}

/**
 * `opening` for the first time · `live` figures come · `lost` the daemon does not answer, and is tried again ·
 * `locked` it wants a token, or another one
 */
export type Link =
  | { readonly state: "opening" | "live" }
  | { readonly state: "lost"; readonly sinceMs: number; readonly retryAtMs: number | undefined }
  | { readonly state: "locked"; readonly detail: string };

export type ReplicaSample = StreamSamples["services"][number]["replicaList"][number];

export interface ServiceState {
  readonly view: ServiceView;
  readonly replicas: readonly ReplicaSample[];
  /** It is no set of replicas but work with an end. */
  readonly job?: JobAnswer | undefined;
  /** The last minutes, second by second, oldest first. */
  readonly trail: readonly TrailPoint[];
}

/** What was read of a service at one instant. */
export interface TrailPoint {
  readonly atMs: number;
  readonly cpuRatio: number | undefined;
  readonly memoryRatio: number | undefined;
  readonly ready: number;
}

/** Which services there are, which of them are jobs, and what was done to them by hand. */
export interface ServicesSnapshot {
  readonly services: readonly ServiceView[];
  readonly jobs: readonly JobAnswer[];
  readonly audit: readonly AuditLine[];
}

/** What is wrong, and who is told of it. */
export interface AlertsSnapshot {
  readonly alerts: readonly AlertView[];
  readonly channels: readonly ChannelView[];
  readonly silences: readonly SilenceView[];
  readonly readiness: Readiness;
}

export const EMPTY_WORLD: World = {
  services: undefined,
  alerts: [],
  channels: [],
  silences: [],
  timeline: [],
  readiness: undefined,
  link: { state: "opening" },
  position: undefined,
  figuresAtMs: undefined,
  figuresHeardAtMs: undefined,
  outdated: { services: false, alerts: false },
};
