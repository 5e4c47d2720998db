import type { ObservedTask, RunId } from "../../core/job.ts";
import { formatDuration, HOUR_MS } from "../../core/units.ts";
import { isTooOld } from "./due.ts";
import { isOver, type Outcome, type Run, type Task } from "./run.ts";

/** What a run looks at. */
export interface RunScene {
  readonly nowMs: number;
  /** What there is of this run. */
  readonly tasks: readonly ObservedTask[];
  /** False: what is not there may well exist. */
  readonly complete: boolean;
  /** An action works on the task, or ended so lately that what was seen may be from before. */
  readonly isUnsettled: (task: number) => boolean;
  /** Why no task may be begun now; absent: they may. */
  readonly waitsFor?: string;
}

/** What is to be done with a task; `replica`: with the container that it has. */
export type TaskAction =
  | {
      readonly kind: "launch";
      readonly run: RunId;
      readonly task: number;
      readonly attempt: number;
      readonly replica?: string;
    }
  | { readonly kind: "stop"; readonly run: RunId; readonly task: number; readonly replica: string };

export interface Advanced {
  /** The same one when nothing of it changed. */
  readonly run: Run;
  readonly actions: readonly TaskAction[];
}

const LONGEST_RETRY_MS = HOUR_MS;

/**
 * The run after what was observed, and what is to be done for it. `pending` → `running` → how it ended; by way of
 * `stopping` when it is ended before its tasks are. A task is started once for each attempt: its container is written
 * down before it is started, and one that is written down and gone has failed, since it may have done its work.
 */
export function advance(run: Run, scene: RunScene): Advanced {
  if (isOver(run)) return { run, actions: [] };
  const { nowMs, waitsFor } = scene;
  if (run.state === "pending") {
    if (run.ending !== undefined) return { run: end(run, run.ending, nowMs), actions: [] };
    const hasBegun = scene.tasks.length > 0;
    if (!hasBegun && run.trigger === "schedule" && isTooOld(run.dueAtMs, run.policy.catchUpAgeMs, nowMs)) {
      const why = waitsFor ?? "the engine did not take it";
      const reason = `it could not begin within ${formatDuration(run.policy.catchUpAgeMs)}: ${why}`;
      return { run: { ...end(run, "missed", nowMs), tasks: [], reason }, actions: [] };
    }
    if (!hasBegun && waitsFor !== undefined) return { run: noted(run, waitsFor), actions: [] };
  }
  const timed = withTimeout(run, nowMs);
  const steps = timed.tasks.map((task, index) => stepOf(timed, task, index, scene));
  const actions = steps.flatMap(({ action }) => action ?? []);
  const moved = moveOn(
    timed,
    Array.from(steps, ({ task }) => task),
    actions,
    nowMs,
  );
  return { run: moved, actions };
}

/** Ends the run: tasks that wait are not begun, those that run are stopped. */
export function endEarly(run: Run, ending: Outcome, reason: string): Run {
  if (isOver(run) || run.ending !== undefined) return run;
  const state = run.state === "pending" ? "pending" : "stopping";
  return { ...run, state, ending, reason };
}

/** The container of the task exists; to be written down before it is started. */
export function withContainer(run: Run, task: number, replica: string): Run {
  return withTask(run, task, (before) =>
    before.state === "waiting" ? { ...before, state: "starting", replica } : before,
  );
}

/** Its container was started. */
export function withStarted(run: Run, task: number, nowMs: number): Run {
  return withTask(run, task, (before) =>
    before.state === "starting" ? { ...before, state: "running", startedAtMs: nowMs } : before,
  );
}

/** The engine could not make or start its container. */
export function withRefusal(run: Run, task: number, reason: string, nowMs: number): Run {
  return withTask(run, task, (before) => failed(run, before, { reason, endedAtMs: nowMs }, nowMs));
}

/** The wall clock was put forward, or back (negative), by so much: what waits for an instant waits as long as before. */
export function afterJump(run: Run, byMs: number): Run {
  const { timeoutAtMs } = run;
  return {
    ...run,
    ...(timeoutAtMs === undefined ? {} : { timeoutAtMs: timeoutAtMs + byMs }),
    tasks: run.tasks.map((task) =>
      task.notBeforeMs === undefined ? task : { ...task, notBeforeMs: task.notBeforeMs + byMs },
    ),
  };
}

function withTimeout(run: Run, nowMs: number): Run {
  const { timeoutAtMs, policy } = run;
  if (timeoutAtMs === undefined || nowMs < timeoutAtMs) return run;
  const reason = `it took longer than ${formatDuration(policy.timeoutMs ?? 0)}`;
  return endEarly(run, "timed-out", reason);
}

interface Step {
  readonly task: Task;
  readonly action?: TaskAction;
}

function stepOf(run: Run, task: Task, index: number, scene: RunScene): Step {
  const isEnding = run.ending !== undefined;
  const observed = scene.tasks.find((one) => one.task === index && one.attempt === task.attempt);
  switch (task.state) {
    case "succeeded":
    case "failed":
    case "stopped":
      return { task };
    case "waiting": {
      if (scene.isUnsettled(index)) return { task };
      if (isEnding) return { task: { ...task, state: "stopped" } };
      if (scene.waitsFor !== undefined) return { task };
      if (task.notBeforeMs !== undefined && scene.nowMs < task.notBeforeMs) return { task };
      return { task, action: launchOf(run, task, index, observed?.replica) };
    }
    case "starting":
    case "running": {
      if (observed === undefined) return { task: missing(run, task, index, scene) };
      if (observed.state === "exited") return { task: ended(run, task, observed, scene.nowMs) };
      if (observed.state === "created") return created(run, task, index, scene, observed.replica);
      const seen = seenRunning(task, observed, scene.nowMs);
      const isStopping = observed.state === "stopping" || scene.isUnsettled(index);
      if (!isEnding || isStopping) return { task: seen };
      return { task: seen, action: { kind: "stop", run: run.id, task: index, replica: observed.replica } };
    }
  }
}

function launchOf(run: Run, { attempt }: Task, task: number, replica: string | undefined): TaskAction {
  return { kind: "launch", run: run.id, task, attempt, ...(replica === undefined ? {} : { replica }) };
}

/** Made, and not started: a start that was told to us as done is only known to be so when it is seen. */
function created(run: Run, task: Task, index: number, scene: RunScene, replica: string): Step {
  if (scene.isUnsettled(index)) return { task };
  if (run.ending !== undefined) return { task: { ...task, state: "stopped" } };
  return { task, action: launchOf(run, task, index, replica) };
}

function missing(run: Run, task: Task, index: number, scene: RunScene): Task {
  if (!scene.complete || scene.isUnsettled(index)) return task;
  const reason = "its container is gone, and nobody knows how it ended";
  return failed(run, task, { reason, endedAtMs: scene.nowMs }, scene.nowMs);
}

function seenRunning(task: Task, { replica, startedAtMs }: ObservedTask, nowMs: number): Task {
  if (task.state === "running") return task;
  return { ...task, state: "running", replica, startedAtMs: startedAtMs ?? nowMs };
}

function ended(run: Run, task: Task, observed: ObservedTask, nowMs: number): Task {
  const { replica, startedAtMs, exitedAtMs, exitCode } = observed;
  const end = {
    replica,
    ...(startedAtMs === undefined ? {} : { startedAtMs }),
    endedAtMs: exitedAtMs ?? nowMs,
    ...(exitCode === undefined ? {} : { exitCode }),
  };
  if (exitCode === 0) {
    const { reason: _reason, ...rest } = task;
    return { ...rest, ...end, state: "succeeded" };
  }
  return failed(run, task, { ...end, reason: endText(observed) }, nowMs);
}

function endText({ exitCode, oomKilled }: ObservedTask): string {
  if (oomKilled === true) return "it ran out of memory";
  return exitCode === undefined ? "it ended while nobody watched" : `it ended with status ${exitCode}`;
}

/** What an attempt leaves behind that failed: another attempt, as long as there is one. */
function failed(run: Run, task: Task, end: Partial<Task>, nowMs: number): Task {
  if (run.ending !== undefined) return { ...task, ...end, state: "stopped" };
  const { retries, retryDelayMs } = run.policy;
  if (task.attempt > retries) return { ...task, ...end, state: "failed" };
  const delayMs = Math.min(retryDelayMs * 2 ** Math.min(task.attempt - 1, 30), LONGEST_RETRY_MS);
  return {
    state: "waiting",
    attempt: task.attempt + 1,
    notBeforeMs: nowMs + delayMs,
    ...(end.reason === undefined ? {} : { reason: end.reason }),
  };
}

function moveOn(run: Run, tasks: readonly Task[], actions: readonly TaskAction[], nowMs: number): Run {
  const isSame = tasks.every((task, index) => task === run.tasks[index]);
  const moved = isSame ? run : { ...run, tasks };
  const begins = moved.state === "pending" && actions.length > 0;
  const begun = begins ? begin(moved, nowMs) : moved;
  const states = new Set(tasks.map(({ state }) => state));
  if (states.has("waiting") || states.has("starting") || states.has("running")) return begun;
  return end(begun, begun.ending ?? (states.has("failed") ? "failed" : "succeeded"), nowMs);
}

function begin(run: Run, nowMs: number): Run {
  const { reason: _reason, ...rest } = run;
  const { timeoutMs } = run.policy;
  return {
    ...rest,
    state: "running",
    startedAtMs: nowMs,
    ...(timeoutMs === undefined ? {} : { timeoutAtMs: nowMs + timeoutMs }),
  };
}

function end(run: Run, outcome: Outcome, nowMs: number): Run {
  const failures = run.tasks.filter(({ state }) => state === "failed");
  const reason = run.reason ?? (outcome === "failed" ? failureText(failures, run.tasks.length) : undefined);
  const tasks = run.tasks.map((task) =>
    task.state === "waiting" ? { ...task, state: "stopped" as const } : task,
  );
  return { ...run, tasks, state: outcome, endedAtMs: nowMs, ...(reason === undefined ? {} : { reason }) };
}

function failureText(failures: readonly Task[], count: number): string {
  const [first] = failures;
  const why = first?.reason ?? "no reason is known";
  const which = count === 1 ? why : `${failures.length} of ${count} tasks failed: ${why}`;
  return first === undefined || first.attempt === 1 ? which : `${which}, at its attempt ${first.attempt}`;
}

function noted(run: Run, reason: string): Run {
  return run.reason === reason ? run : { ...run, reason };
}

function withTask(run: Run, index: number, change: (task: Task) => Task): Run {
  return { ...run, tasks: run.tasks.map((task, at) => (at === index ? change(task) : task)) };
}
