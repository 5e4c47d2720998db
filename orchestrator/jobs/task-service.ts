import type { TaskIdentity } from "../../core/job.ts";
import type { Service } from "../../core/types.ts";
import { type Run, runNameOf } from "./run.ts";

/** What a task is told of itself. */
const TASK_VARIABLES = {
  run: "JOB_RUN",
  index: "JOB_TASK_INDEX",
  count: "JOB_TASK_COUNT",
  attempt: "JOB_ATTEMPT",
  dueAt: "JOB_DUE_AT",
} as const;

/**
 * The service as one task of it is made: told which one it is, under a name that no other task has, never started
 * again by the engine, and with no port of the host, as with `docker compose run`.
 */
export function taskService(service: Service, run: Run, { task, attempt }: TaskIdentity): Service {
  const { template } = service;
  const again = attempt === 1 ? "" : `.${attempt}`;
  return {
    ...service,
    template: {
      ...template,
      environment: {
        ...template.environment,
        [TASK_VARIABLES.run]: run.id,
        [TASK_VARIABLES.index]: String(task),
        [TASK_VARIABLES.count]: String(run.tasks.length),
        [TASK_VARIABLES.attempt]: String(attempt),
        [TASK_VARIABLES.dueAt]: new Date(run.dueAtMs).toISOString(),
      },
      ports: [],
      restart: { condition: "none", delayMs: 0 },
      container: {
        ...template.container,
        containerName: `${service.project}-${service.name}-run-${runNameOf(run.id)}-${task}${again}`,
      },
    },
  };
}
