import type { ReplicaId } from "../../core/types.ts";

/**
 * What an engine says that somebody did to a replica, us among them. `killed` was sent a signal that ends it ·
 * `stopped` was told to stop, and did · `deaf` nobody listened for a while: what was heard before may be outdated.
 */
export type EngineSign =
  | { readonly kind: "killed" | "stopped" | "started" | "removed"; readonly replica: ReplicaId }
  | { readonly kind: "created"; readonly replica: ReplicaId; readonly byCompose: boolean }
  | { readonly kind: "deaf" };

/** What was heard of one replica, since it was started last. */
export interface Trace {
  readonly killedAtMs?: number;
  readonly stoppedAtMs?: number;
  readonly removedAtMs?: number;
  readonly byCompose?: boolean;
  /** When something was heard of it last. */
  readonly heardAtMs: number;
}

export type Traces = ReadonlyMap<ReplicaId, Trace>;

/** The trace of a replica after one sign more of it. */
export function traceAfter(
  before: Trace | undefined,
  sign: Exclude<EngineSign, { kind: "deaf" }>,
  nowMs: number,
): Trace {
  const trace = { ...before, heardAtMs: nowMs };
  switch (sign.kind) {
    case "killed":
      // The first of them: what does not end in time is killed once more.
      return { killedAtMs: nowMs, ...trace };
    case "stopped":
      return { ...trace, stoppedAtMs: nowMs };
    case "removed":
      return { ...trace, removedAtMs: nowMs };
    case "created":
      return { heardAtMs: nowMs, byCompose: sign.byCompose };
    case "started":
      return {
        heardAtMs: nowMs,
        ...(trace.byCompose === undefined ? {} : { byCompose: trace.byCompose }),
      };
  }
}

export function wasToldToStop(trace: Trace | undefined): boolean {
  return trace?.stoppedAtMs !== undefined;
}
