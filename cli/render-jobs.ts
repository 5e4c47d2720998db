import { formatDuration } from "../core/units.ts";
import type { JobAnswer, LogsAnswer, RunAnswer } from "../core/wire-jobs.ts";
import { formatInstant } from "./render.ts";
import { type Cell, renderTable, type TableOptions } from "./table.ts";
import { printable, type Style } from "./terminal.ts";

const UNKNOWN = "-";

const STYLES: Readonly<Record<RunAnswer["state"], Style>> = {
  pending: "yellow",
  running: "yellow",
  stopping: "yellow",
  succeeded: "green",
  failed: "red",
  "timed-out": "red",
  replaced: "dim",
  cancelled: "dim",
  missed: "red",
};

/** One line for each job: when it is due, and how it went last. */
export function renderJobs(jobs: readonly JobAnswer[], options: TableOptions): string {
  if (jobs.length === 0) return "no service is a job";
  const rows = jobs.map(({ service, due, nextDueAtMs, active, last, lastSuccessAtMs }): Cell[] => {
    const shown = active.at(-1) ?? last;
    return [
      service,
      shown === undefined ? UNKNOWN : stateCell(shown),
      instant(nextDueAtMs),
      instant(lastSuccessAtMs),
      due,
    ];
  });
  return renderTable(["JOB", "LAST RUN", "NEXT DUE", "LAST SUCCESS", "DUE"], rows, options);
}

/** One line for each run, the newest first. */
export function renderRuns(runs: readonly RunAnswer[], options: TableOptions): string {
  if (runs.length === 0) return "it has not had a run";
  const rows = runs.map((run): Cell[] => [
    run.name,
    stateCell(run),
    run.trigger,
    tasksText(run),
    tookText(run),
    reasonText(run),
  ]);
  return renderTable(["RUN", "STATE", "BECAUSE OF", "TASKS", "TOOK", "REASON"], rows, options);
}

/** A sentence for a person. */
export function runSentence(run: RunAnswer): string {
  const why = run.reason === undefined ? "" : `: ${run.reason}`;
  return printable(`${run.id} ${run.state}${why}`);
}

/** What each task or replica wrote; under a heading when there are several. */
export function renderLogs({ parts }: LogsAnswer, { paint }: TableOptions): string {
  if (parts.length === 0) return "nothing was written";
  return parts
    .map(({ name, text }) => {
      const body = printable(text);
      return parts.length === 1 ? body : [paint("bold", printable(name)), body].join("\n");
    })
    .join("\n");
}

function stateCell({ state }: RunAnswer): Cell {
  return { text: state, style: STYLES[state] };
}

/** `2 of 4`, and the exit status where there is one task alone. */
function tasksText({ tasks }: RunAnswer): string {
  const [only, ...others] = tasks;
  if (only === undefined) return UNKNOWN;
  if (others.length === 0) return only.exitCode === undefined ? only.state : `exit ${only.exitCode}`;
  return `${tasks.filter(({ state }) => state === "succeeded").length} of ${tasks.length}`;
}

function tookText({ startedAtMs, endedAtMs }: RunAnswer): string {
  if (startedAtMs === undefined || endedAtMs === undefined) return UNKNOWN;
  return formatDuration(Math.max(0, endedAtMs - startedAtMs));
}

function reasonText({ reason, missedUntilMs }: RunAnswer): string {
  const until = missedUntilMs === undefined ? "" : `all until ${formatInstant(missedUntilMs)}: `;
  return `${until}${reason ?? ""}`;
}

function instant(atMs: number | undefined): string {
  return atMs === undefined ? UNKNOWN : formatInstant(atMs);
}
