import type { ReplicaId } from "../../core/types.ts";

/**
 * What an engine says that somebody did to a replica, us among them, in the order in which it was done. `killed` was sent
 * a signal that ends it, `byForce` one that it cannot heed · `ended`, told or not · `stopped` was told to stop, and did.
 */
export type ReplicaSign =
  | { readonly kind: "ended" | "stopped" | "started" | "removed"; readonly replica: ReplicaId }
  | { readonly kind: "killed"; readonly replica: ReplicaId; readonly byForce: boolean }
  | { readonly kind: "created"; readonly replica: ReplicaId; readonly byCompose: boolean };

/** `listening` from now on what is done is heard · `deaf` no longer, and what was heard before may be outdated. */
export type EngineSign = ReplicaSign | { readonly kind: "listening" | "deaf" };

/** What was heard of one replica, since it was started last. */
export interface Trace {
  readonly killedAtMs?: number;
  /** The first signal was one by force: nobody who tells a replica to stop begins so. */
  readonly wasForced?: boolean;
  readonly endedAtMs?: number;
  readonly stoppedAtMs?: number;
  readonly removedAtMs?: number;
  readonly byCompose?: boolean;
  /** When something was heard of it last. */
  readonly heardAtMs: number;
}

export type Traces = ReadonlyMap<ReplicaId, Trace>;

/** The trace of a replica after one sign more of it. */
export function traceAfter(before: Trace | undefined, sign: ReplicaSign, nowMs: number): Trace {
  const trace = { ...before, heardAtMs: nowMs };
  switch (sign.kind) {
    case "killed":
      // The first of them: what does not end in time is killed once more.
      return { killedAtMs: nowMs, wasForced: sign.byForce, ...trace };
    case "ended":
      return { ...trace, endedAtMs: nowMs };
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

/** Nothing more will be said of how it ended: that it was told to stop is said after its end. */
export function isEndTold(trace: Trace | undefined): boolean {
  if (trace?.endedAtMs === undefined) return false;
  return trace.killedAtMs === undefined || trace.wasForced === true || wasToldToStop(trace);
}
