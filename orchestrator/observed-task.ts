import type { ObservedTask, TaskIdentity } from "../core/job.ts";
import type { ObservedReplica, ReplicaState } from "../core/types.ts";

const STATES: Partial<Record<ReplicaState, ObservedTask["state"]>> = {
  created: "created",
  stopping: "stopping",
  exited: "exited",
};

/** What is a task of a job, seen by an engine that sees it as it sees a replica. */
export function observedTask({ run, task, attempt }: TaskIdentity, seen: ObservedReplica): ObservedTask {
  const { id, project, service, name, state, startedAtMs, exitedAtMs, exitCode, oomKilled } = seen;
  return {
    run,
    task,
    attempt,
    replica: id,
    project,
    service,
    name,
    state: STATES[state] ?? "running",
    ...(startedAtMs === undefined ? {} : { startedAtMs }),
    ...(exitedAtMs === undefined ? {} : { exitedAtMs }),
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(oomKilled === undefined ? {} : { oomKilled }),
  };
}
