import type { ObservedReplica } from "../../core/types.ts";

/**
 * `error` it ended with a status other than 0 · `oom` it was ended for the memory it took · `restarting` it ends again
 * and again, and the engine itself starts it again · `unhealthy` it runs, and its check fails.
 */
export type FailureKind = "error" | "oom" | "restarting" | "unhealthy";

export interface Failure {
  readonly kind: FailureKind;
  /** For a person, as what follows the replica's name. */
  readonly reason: string;
}

/** What a program ends with that was told to end by SIGINT or SIGTERM, and did. */
const TOLD_TO_END: ReadonlySet<number> = new Set([130, 143]);
const KILLED = 137;

/** How the replica has failed; undefined: it has not. */
export function failureOf(replica: ObservedReplica): Failure | undefined {
  if (replica.state === "restarting") return failureOfRestarted(replica);
  if (replica.state === "exited") return failureOfEnd(replica);
  if (replica.state === "unhealthy" || replica.live === false) {
    return { kind: "unhealthy", reason: "runs, and its health check fails" };
  }
  return undefined;
}

/** Any end counts: one that ends well again and again does not serve either. */
function failureOfRestarted(replica: ObservedReplica): Failure {
  const { restarts = 0, exitCode } = replica;
  const times = restarts > 1 ? `, ${restarts} times so far` : "";
  const end = exitCode === undefined ? undefined : failureOfEnd(replica);
  const how = end?.reason ?? (exitCode === undefined ? "ended" : `ended with status ${exitCode}`);
  const kind = end?.kind === "oom" ? "oom" : restarts > 1 ? "restarting" : "error";
  return { kind, reason: `${how}, and the engine restarts it${times}` };
}

/** How it ended, as the engine says: also of one that has been seen only as running. */
export function failureOfEnd(end: {
  readonly exitCode?: number;
  readonly oomKilled?: boolean;
}): Failure | undefined {
  const { exitCode, oomKilled } = end;
  if (oomKilled === true) {
    const status = exitCode === undefined ? "" : ` (status ${exitCode})`;
    return { kind: "oom", reason: `was killed: it took more memory than its limit${status}` };
  }
  if (exitCode === undefined)
    return { kind: "error", reason: "ended while nobody watched, its status is unknown" };
  if (exitCode === 0 || TOLD_TO_END.has(exitCode)) return undefined;
  const killed = exitCode === KILLED ? ": it was killed" : "";
  return { kind: "error", reason: `ended with status ${exitCode}${killed}` };
}
