/** The variables by which a process says which replica of what it is, whoever asks and whatever was lost. */
export const VARIABLES = {
  owner: "FLYBALL_OWNER",
  replica: "FLYBALL_REPLICA",
  project: "FLYBALL_PROJECT",
  service: "FLYBALL_SERVICE",
  slot: "FLYBALL_SLOT",
  /** On a task of a job. */
  run: "FLYBALL_RUN",
  task: "FLYBALL_TASK",
  attempt: "FLYBALL_ATTEMPT",
  /** `replica` on what serves, `healthcheck` on what only asks. */
  role: "FLYBALL_ROLE",
  port: "PORT",
} as const;

const REPLICA_ID = /^[0-9a-f]{16}$/u;

/** Ids become file and cgroup names, so one that came from outside is believed only in this form. */
export function isReplicaId(text: string | undefined): text is string {
  return text !== undefined && REPLICA_ID.test(text);
}
