import type { Target } from "../core/types.ts";
import { isSamplesMessage, type SamplesMessage } from "./batch-codec.ts";

/** The name of the link between a daemon and its collector. */
export const COLLECTOR_LINK = "collector";

/** From the daemon: everything that should be read from now on. */
export interface TargetsMessage {
  readonly type: "targets";
  /** Counts the lists; the samples name the one that their positions mean. */
  readonly revision: number;
  readonly targets: readonly Target[];
}

/** From the collector, first: which process speaks. */
export interface HelloMessage {
  readonly type: "hello";
  readonly pid: number;
}

export type FromDaemon = TargetsMessage;
export type FromCollector = HelloMessage | SamplesMessage;

export function isFromDaemon(value: unknown): value is FromDaemon {
  if (typeof value !== "object" || value === null) return false;
  const message = value as Partial<Record<keyof TargetsMessage, unknown>>;
  return (
    message.type === "targets" &&
    Number.isInteger(message.revision) &&
    Array.isArray(message.targets) &&
    message.targets.every(isTarget)
  );
}

export function isFromCollector(value: unknown): value is FromCollector {
  if (typeof value !== "object" || value === null || !("type" in value)) return false;
  if (value.type === "hello") return "pid" in value && Number.isInteger(value.pid);
  return isSamplesMessage(value);
}

function isTarget(value: unknown): value is Target {
  if (typeof value !== "object" || value === null) return false;
  const target = value as Partial<Record<keyof Target, unknown>>;
  return (
    typeof target.replica === "string" &&
    target.replica !== "" &&
    typeof target.service === "string" &&
    typeof target.pid === "number" &&
    Number.isInteger(target.pid) &&
    target.pid > 0 &&
    (target.kind === "container" || target.kind === "process")
  );
}
