import type { JobAnswer, LogsAnswer, RunAnswer } from "../core/wire-jobs.ts";

/** What the API can ask about jobs. Every method that names a service throws NOT_FOUND when there is no such job. */
export interface JobControl {
  list(): readonly JobAnswer[];
  /** Newest first. */
  runs(id: string, most: number): readonly RunAnswer[];
  /** Runs it now. @throws FlyballError LABEL_INVALID for a job that is refused, JOB_RUNNING */
  run(id: string): RunAnswer;
}

export interface LogsQuery {
  /** Of a job: which run; absent: the newest that began. */
  readonly run?: string | undefined;
  /** Of each replica, or task. */
  readonly lines: number;
}

/** What services wrote. */
export interface LogControl {
  /** @throws FlyballError NOT_FOUND also for a run that is not known */
  logs(id: string, query: LogsQuery): Promise<LogsAnswer>;
}
