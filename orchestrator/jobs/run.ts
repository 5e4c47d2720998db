import type { JobSpec, RunId } from "../../core/job.ts";
import type { ServiceId } from "../../core/types.ts";

/**
 * `pending` noted and not begun · `running` · `stopping` its tasks are being ended · and how it ended: `succeeded`,
 * `failed`, `timed-out`, `replaced` by a later one, `cancelled` with its job, or `missed`, when it never began.
 */
export type RunState =
  | "pending"
  | "running"
  | "stopping"
  | "succeeded"
  | "failed"
  | "timed-out"
  | "replaced"
  | "cancelled"
  | "missed";

export type Outcome = Exclude<RunState, "pending" | "running" | "stopping">;

/**
 * `waiting` to be made · `starting` made, and perhaps started · `running` · and how it ended, `stopped` among it: with
 * its run, for no fault of its own.
 */
export type TaskState = "waiting" | "starting" | "running" | "succeeded" | "failed" | "stopped";

/** One task of a run, at its last attempt. */
export interface Task {
  readonly state: TaskState;
  /** From 1. */
  readonly attempt: number;
  /** For one that waits after a failure. */
  readonly notBeforeMs?: number;
  /** The engine's id of its container; written down before that is started. */
  readonly replica?: string;
  readonly startedAtMs?: number;
  readonly endedAtMs?: number;
  readonly exitCode?: number;
  /** Why it failed, or did the last time. */
  readonly reason?: string;
}

/** One execution of a job. Plain data: it is in the store, so that a daemon that was killed goes on where it was. */
export interface Run {
  readonly id: RunId;
  readonly service: ServiceId;
  readonly project: string;
  readonly dueAtMs: number;
  readonly trigger: "schedule" | "after" | "once" | "manual";
  /** Hash of the template that its job had when it was noted. */
  readonly definition: string;
  readonly state: RunState;
  /** How it goes on, as its job said when it was noted. */
  readonly policy: Pick<JobSpec, "retries" | "retryDelayMs" | "timeoutMs" | "catchUpAgeMs">;
  readonly tasks: readonly Task[];
  readonly startedAtMs?: number;
  readonly endedAtMs?: number;
  /** When it has taken as long as it may. */
  readonly timeoutAtMs?: number;
  /** What it will have ended as when its tasks are stopped. */
  readonly ending?: Outcome;
  /** Why it ended as it did, or does not go on. */
  readonly reason?: string;
  /** A missed one: present when it stands for all that were due up to then. */
  readonly missedUntilMs?: number;
}

export function isOver({ state }: Pick<Run, "state">): boolean {
  return state !== "pending" && state !== "running" && state !== "stopping";
}

/** `shop_backup@20261121T030000Z`; with milliseconds when there are any. */
export function runIdOf(service: ServiceId, dueAtMs: number): RunId {
  const compact = new Date(dueAtMs).toISOString().replace(/[-:]/g, "").replace(".000Z", "Z");
  return `${service}@${compact}`;
}

/** What is behind the `@`. */
export function runNameOf(id: RunId): string {
  return id.slice(id.indexOf("@") + 1);
}

export interface NewRun {
  readonly service: ServiceId;
  readonly project: string;
  readonly dueAtMs: number;
  readonly trigger: Run["trigger"];
  readonly definition: string;
  readonly job: JobSpec;
}

export function newRun({ service, project, dueAtMs, trigger, definition, job }: NewRun): Run {
  const { retries, retryDelayMs, timeoutMs, catchUpAgeMs } = job;
  return {
    id: runIdOf(service, dueAtMs),
    service,
    project,
    dueAtMs,
    trigger,
    definition,
    state: "pending",
    policy: { retries, retryDelayMs, catchUpAgeMs, ...(timeoutMs === undefined ? {} : { timeoutMs }) },
    tasks: Array.from({ length: job.tasks }, () => ({ state: "waiting", attempt: 1 })),
  };
}

/** The record of one that was due and never began. */
export function missedRun(
  about: NewRun,
  why: { readonly reason: string; readonly untilMs?: number },
  nowMs: number,
): Run {
  return {
    ...newRun(about),
    tasks: [],
    state: "missed",
    reason: why.reason,
    endedAtMs: nowMs,
    ...(why.untilMs === undefined ? {} : { missedUntilMs: why.untilMs }),
  };
}
