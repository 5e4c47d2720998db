import { cronText } from "../../core/cron-entry.ts";
import type { JobSpec, RunId } from "../../core/job.ts";
import type { ServiceId } from "../../core/types.ts";
import { type Run, type RunState, runNameOf, type TaskState } from "./run.ts";

/** A run as it is told. */
export interface RunView {
  readonly id: RunId;
  /** What is behind the service's name in the id. */
  readonly name: string;
  readonly service: ServiceId;
  readonly trigger: Run["trigger"];
  readonly state: RunState;
  readonly dueAtMs: number;
  readonly startedAtMs?: number;
  readonly endedAtMs?: number;
  readonly reason?: string;
  readonly missedUntilMs?: number;
  readonly tasks: readonly TaskView[];
}

export interface TaskView {
  readonly index: number;
  readonly state: TaskState;
  readonly attempt: number;
  readonly startedAtMs?: number;
  readonly endedAtMs?: number;
  readonly exitCode?: number;
  readonly reason?: string;
}

/** A job as it is told. */
export interface JobView {
  readonly service: ServiceId;
  readonly project: string;
  readonly name: string;
  /** When it is due, for a person. */
  readonly due: string;
  readonly nextDueAtMs?: number;
  /** Those that are not over, oldest first. */
  readonly active: readonly RunView[];
  /** The newest of all. */
  readonly last?: RunView;
  readonly lastSuccessAtMs?: number;
}

export function runView(run: Run): RunView {
  const { id, service, trigger, state, dueAtMs, startedAtMs, endedAtMs, reason, missedUntilMs } = run;
  return {
    id,
    name: runNameOf(id),
    service,
    trigger,
    state,
    dueAtMs,
    ...(startedAtMs === undefined ? {} : { startedAtMs }),
    ...(endedAtMs === undefined ? {} : { endedAtMs }),
    ...(reason === undefined ? {} : { reason }),
    ...(missedUntilMs === undefined ? {} : { missedUntilMs }),
    tasks: run.tasks.map((task, index) => {
      const { notBeforeMs: _notBefore, replica: _replica, ...told } = task;
      return { index, ...told };
    }),
  };
}

export function dueText({ trigger }: JobSpec): string {
  switch (trigger.kind) {
    case "schedule":
      return trigger.lines.map(cronText).join("; ");
    case "after":
      return `after ${trigger.services.join(", ")}`;
    case "once":
      return "once for each definition";
    case "manual":
      return "when somebody asks";
    case "refused":
      return `never: ${trigger.reason}`;
  }
}
