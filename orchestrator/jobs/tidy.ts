import type { JobSpec, ObservedTask, RunId } from "../../core/job.ts";
import { isOver, type Run } from "./run.ts";

/** What is done with a container that has done its work. */
export interface TidyStep {
  readonly kind: "keep-log" | "remove";
  readonly of: ObservedTask;
}

export interface TidyInput {
  /** Of one job. */
  readonly tasks: readonly ObservedTask[];
  readonly keep: JobSpec["keep"];
  /** Absent: nobody knows the run any more. */
  readonly runOf: (run: RunId) => Run | undefined;
  readonly hasLog: (task: ObservedTask) => boolean;
}

/** Of one job, however many its runs have. */
const MOST_KEPT = 10;

/** What a container wrote is kept first; then it goes, unless it is one of those that stay. */
export function tidy({ tasks, keep, runOf, hasLog }: TidyInput): TidyStep[] {
  const steps: TidyStep[] = [];
  const staying: { of: ObservedTask; dueAtMs: number }[] = [];
  for (const of of tasks) {
    const run = runOf(of.run);
    if (run === undefined) steps.push({ kind: "remove", of });
    else if (isDone(of, run)) {
      const isEnded = of.state === "exited";
      if (isEnded && !hasLog(of)) steps.push({ kind: "keep-log", of });
      else if (isEnded && isKept(of, run, keep)) staying.push({ of, dueAtMs: run.dueAtMs });
      else steps.push({ kind: "remove", of });
    }
  }
  staying.sort((a, b) => b.dueAtMs - a.dueAtMs || a.of.task - b.of.task);
  return [...steps, ...staying.slice(MOST_KEPT).map(({ of }): TidyStep => ({ kind: "remove", of }))];
}

/** Nothing of the run depends on the container any more. */
function isDone({ task, attempt }: ObservedTask, run: Run): boolean {
  if (isOver(run)) return true;
  const current = run.tasks[task];
  return current === undefined || attempt < current.attempt || !hasWork(current.state);
}

function hasWork(state: Run["tasks"][number]["state"]): boolean {
  return state === "waiting" || state === "starting" || state === "running";
}

/** The last attempt of each task; by how its run ended. */
function isKept({ task, attempt }: ObservedTask, run: Run, keep: JobSpec["keep"]): boolean {
  if (attempt !== run.tasks[task]?.attempt) return false;
  if (!isOver(run) || keep === "all") return true;
  return keep === (run.state === "succeeded" ? "succeeded" : "failed");
}
