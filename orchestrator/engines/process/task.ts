import type { ObservedTask } from "../../../core/job.ts";
import type { ReplicaState } from "../../../core/types.ts";
import type { Replica } from "./replica.ts";

const STATES: Partial<Record<ReplicaState, ObservedTask["state"]>> = {
  created: "created",
  stopping: "stopping",
  exited: "exited",
};

/** What is a task of a job, as it is observed; nothing for a replica. */
export function taskOf(replica: Replica): ObservedTask[] {
  const { task } = replica.record;
  if (task === undefined) return [];
  const { id, project, service, name, state, startedAtMs, exitedAtMs, exitCode, oomKilled } =
    replica.observed();
  return [
    {
      ...task,
      replica: id,
      project,
      service,
      name,
      state: STATES[state] ?? "running",
      ...(startedAtMs === undefined ? {} : { startedAtMs }),
      ...(exitedAtMs === undefined ? {} : { exitedAtMs }),
      ...(exitCode === undefined ? {} : { exitCode }),
      ...(oomKilled === undefined ? {} : { oomKilled }),
    },
  ];
}
