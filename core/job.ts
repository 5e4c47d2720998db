/** The words of finite work: what a job is, and what an engine shows of its tasks. Plain data, units in the names. */

/** A cron line and where its clock hangs. */
export interface CronEntry {
  /** Five fields: minute, hour, day of month, month, day of week; six: a second before them. */
  readonly cron: string;
  /** IANA name; absent: UTC. */
  readonly timeZone?: string;
}

/**
 * `schedule` whenever one of the lines matches · `after` each of these services has succeeded anew · `once` for each
 * definition that is brought up · `manual` when somebody asks · `refused` never: its labels cannot be used.
 */
export type JobTrigger =
  | { readonly kind: "schedule"; readonly lines: readonly CronEntry[] }
  | { readonly kind: "after"; readonly services: readonly string[] }
  | { readonly kind: "once" }
  | { readonly kind: "manual" }
  | { readonly kind: "refused"; readonly reason: string };

/** A service that is no set of replicas but work with an end. */
export interface JobSpec {
  readonly trigger: JobTrigger;
  /** Side by side in each run; each is told its index, from 0, and how many there are. */
  readonly tasks: number;
  /** Further attempts of a task that failed. */
  readonly retries: number;
  /** Before the first of them; doubled for each further one. */
  readonly retryDelayMs: number;
  /** Of a whole run, its retries among it; absent: it may take for ever. */
  readonly timeoutMs?: number;
  /** When one is due while another is under way: leave it out, run both, or stop the other. */
  readonly concurrency: "forbid" | "allow" | "replace";
  /** Which of those that were due while nobody looked still run. */
  readonly catchUp: "none" | "last" | "all";
  /** Older than this, and it does not run any more. */
  readonly catchUpAgeMs: number;
  /** Which ended containers stay, of the last runs. */
  readonly keep: "none" | "failed" | "succeeded" | "all";
}

/** `project_service@20261121T030000Z`: what was due when. */
export type RunId = string;

/** Which task of which run a container is. */
export interface TaskIdentity {
  readonly run: RunId;
  /** From 0. */
  readonly task: number;
  /** From 1. */
  readonly attempt: number;
}

/** A container, or process, that is a task and no replica. */
export interface ObservedTask extends TaskIdentity {
  /** The engine's id. */
  readonly replica: string;
  readonly project: string;
  readonly service: string;
  readonly name: string;
  readonly state: "created" | "running" | "stopping" | "exited";
  readonly startedAtMs?: number;
  readonly exitedAtMs?: number;
  /** Unknown when it ended while nobody watched. */
  readonly exitCode?: number;
  readonly oomKilled?: boolean;
}
