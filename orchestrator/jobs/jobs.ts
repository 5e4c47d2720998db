import type { Clock } from "../../core/clock.ts";
import { FlyballError } from "../../core/errors.ts";
import { serviceIdOf } from "../../core/ids.ts";
import type { JobSpec, ObservedTask, RunId } from "../../core/job.ts";
import type { Log } from "../../core/log.ts";
import type { Store } from "../../core/store.ts";
import type { ObservedState, Project, Service, ServiceId } from "../../core/types.ts";
import { SECOND_MS } from "../../core/units.ts";
import type { Engine } from "../engine.ts";
import { replicaLog } from "../replica-log.ts";
import { advance, afterJump, endEarly, type TaskAction } from "./advance.ts";
import { nextMatchMs } from "./due.ts";
import { Hands } from "./hands.ts";
import { JobLedger, type KeptLog } from "./ledger.ts";
import { instantFor, noteDue } from "./note.ts";
import { isOver, newRun, type Run, runIdOf } from "./run.ts";
import { tidy } from "./tidy.ts";
import { dueText, type JobView, type RunView, runView } from "./view.ts";
import { waitsFor } from "./waits.ts";
import { Work } from "./work.ts";

export interface JobsOptions {
  readonly engine: Engine;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** With the services that are desired of them; of one that is being removed, none. */
  readonly projects: () => readonly Project[];
  /** After each run that is over, missed ones among them. */
  readonly onOver?: (run: Run) => void;
}

/** What the tasks of a run wrote, each attempt by itself. */
export interface RunLog {
  readonly service: ServiceId;
  readonly run: RunView;
  readonly parts: readonly { readonly name: string; readonly text: string }[];
}

/** A service that is a job. */
interface Job {
  readonly service: Service;
  readonly project: Project;
  readonly spec: JobSpec;
}

/** More than this between what the two clocks say has passed, and the wall clock was set. */
const JUMP_MS = 2 * SECOND_MS;
const LONGEST_TIMER_MS = 60 * SECOND_MS;
const LOG_DEADLINE_MS = 10 * SECOND_MS;

/**
 * Runs jobs when they are due: notes what came due in the ledger, brings each run on by what was observed, keeps what
 * its tasks wrote, and clears away after them. What is due and what a run does next is for the pure parts to say.
 */
export class Jobs implements AsyncDisposable {
  readonly #options: JobsOptions;
  readonly #ledger: JobLedger;
  readonly #hands: Hands;
  readonly #work: Work;
  /** Of each job, until when nothing of it is due by its lines. */
  readonly #quiet = new Map<ServiceId, { spec: JobSpec; fromMs: number; untilMs: number }>();
  /** Of each job, the containers that stay as they are: nothing is to be cleared away until they are others. */
  readonly #tidied = new Map<ServiceId, string>();
  #observed: ObservedState | undefined;
  #tasks: ReadonlyMap<RunId, readonly ObservedTask[]> = new Map();
  #looked: { readonly nowMs: number; readonly monotonicMs: number } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: JobsOptions) {
    this.#options = options;
    this.#ledger = new JobLedger(options.store);
    this.#hands = new Hands({ ...options, ledger: this.#ledger, keep: (run) => this.#keep(run) });
    this.#work = new Work({
      monotonicMs: () => options.clock.monotonicMs(),
      log: options.log,
      onEnd: () => this.#lookSafely(),
    });
  }

  /** To be called after each pass that saw the engine. */
  observed(observed: ObservedState): void {
    this.#observed = observed;
    this.#tasks = Map.groupBy(observed.tasks ?? [], ({ run }) => run);
    this.#work.looked();
    this.#lookSafely();
  }

  /** Those of which nobody has to wait for a run any more. */
  get succeeded(): ReadonlySet<ServiceId> {
    const isDone = ({ service, spec }: Job) => {
      const last = this.#ledger.lastSuccess(service.id);
      return last !== undefined && (spec.trigger.kind !== "once" || last.definition === service.templateHash);
    };
    return new Set(
      this.#jobs()
        .filter(isDone)
        .map(({ service }) => service.id),
    );
  }

  list(): readonly JobView[] {
    return this.#jobs().map((job) => this.#view(job));
  }

  /** Newest first. @throws FlyballError NOT_FOUND */
  runs(service: ServiceId, most: number): readonly RunView[] {
    this.#find(service);
    return this.#ledger.runs(service, most).map(runView);
  }

  /** Runs it now, beside what is due. @throws FlyballError NOT_FOUND, LABEL_INVALID, JOB_RUNNING */
  run(id: ServiceId): RunView {
    const { service, spec } = this.#find(id);
    if (spec.trigger.kind === "refused") {
      throw new FlyballError("LABEL_INVALID", `${id} does not run: ${spec.trigger.reason}`);
    }
    const [active] = this.#ledger.active(id);
    if (active !== undefined && spec.concurrency === "forbid") {
      throw new FlyballError(
        "JOB_RUNNING",
        `${active.id} is still under way, and job.concurrency of ${id} is forbid: wait for its end, or say allow or replace`,
      );
    }
    const { log, clock } = this.#options;
    const nowMs = clock.nowMs();
    let dueAtMs = instantFor(nowMs);
    while (this.#ledger.run(runIdOf(id, dueAtMs)) !== undefined) dueAtMs = instantFor(dueAtMs + 1);
    const run = newRun({ ...this.#about(service), job: spec, dueAtMs, trigger: "manual" });
    const replaced = spec.concurrency === "replace" ? this.#ledger.active(id) : [];
    this.#ledger.write({
      project: service.project,
      runs: [...replaced.map((one) => endEarly(one, "replaced", "somebody asked for a run")), run],
    });
    log.info({ job: id, run: run.id }, "a run was asked for by hand");
    this.#lookSafely();
    return runView(this.#ledger.run(run.id) ?? run);
  }

  /**
   * One run, with what its tasks wrote.
   * @param name absent: the newest that began
   * @throws FlyballError NOT_FOUND
   */
  async log(service: ServiceId, name: string | undefined): Promise<RunLog> {
    this.#find(service);
    const run = this.#runNamed(service, name);
    const kept = this.#ledger.logs(run.id);
    const known = new Set(kept.map(({ task, attempt }) => `${task}.${attempt}`));
    const live = this.#tasksOf(run.id).filter(({ task, attempt, state }) => {
      return state !== "created" && !known.has(`${task}.${attempt}`);
    });
    const signal = AbortSignal.timeout(LOG_DEADLINE_MS);
    const now = live.map(async ({ task, attempt, replica }) => {
      return { task, attempt, text: await replicaLog(this.#options.engine, replica, signal) };
    });
    const logs = [...kept, ...(await Promise.all(now))];
    logs.sort((a, b) => a.task - b.task || a.attempt - b.attempt);
    const nameOf = ({ task, attempt }: KeptLog) =>
      `task ${task}${attempt === 1 ? "" : `, attempt ${attempt}`}`;
    const parts = logs.map((one) => ({ name: nameOf(one), text: one.text }));
    return { service, run: runView(run), parts };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#work[Symbol.asyncDispose]();
  }

  /** A store that is full, or an answer that makes no sense, must not end the daemon: the next look tries again. */
  #lookSafely(): void {
    if (this.#closed || this.#observed === undefined) return;
    try {
      this.#look(this.#observed);
    } catch (error) {
      this.#options.log.error({ err: error }, "the jobs could not be looked after");
    }
  }

  #look(observed: ObservedState): void {
    const nowMs = this.#options.clock.nowMs();
    this.#noticeJump(nowMs);
    const jobs = this.#jobs();
    this.#cancelOthers(new Set(jobs.map(({ service }) => service.id)), observed);
    for (const job of jobs) this.#advance(job, observed, nowMs);
    const tasks = Map.groupBy(observed.tasks ?? [], ({ service }) => service);
    // What came due by an end that was just seen is noted at once.
    for (const job of jobs) {
      if (this.#note(job, nowMs)) this.#advance(job, observed, nowMs);
      this.#tidy(job, tasks.get(job.service.id) ?? []);
    }
    this.#setTimer(jobs, nowMs);
  }

  #noticeJump(nowMs: number): void {
    const before = this.#looked;
    const monotonicMs = this.#options.clock.monotonicMs();
    this.#looked = { nowMs, monotonicMs };
    const byMs = before === undefined ? 0 : nowMs - before.nowMs - (monotonicMs - before.monotonicMs);
    if (Math.abs(byMs) <= JUMP_MS) return;
    this.#options.log.warn({ byMs: Math.round(byMs) }, "the wall clock was set");
    for (const run of this.#ledger.allActive) this.#keep(afterJump(run, Math.round(byMs)));
  }

  /** True when there is something new. */
  #note({ service, spec }: Job, nowMs: number): boolean {
    const { id } = service;
    const memory = this.#ledger.memory(id);
    const quiet = this.#quiet.get(id);
    if (quiet?.spec === spec && nowMs < quiet.untilMs && nowMs >= quiet.fromMs) return false;
    const noted = noteDue({
      ...this.#about(service),
      job: spec,
      memory,
      active: this.#ledger.active(id),
      ranAfter: (atMs) => this.#ledger.ranAfter(id, atMs),
      lastSuccess: (name) => this.#ledger.lastSuccess(serviceIdOf(service.project, name))?.id,
      nowMs,
    });
    const { memory: after, runs, replaced, forgetMissedAfterMs } = noted;
    if (after !== memory || runs.length > 0 || replaced.length > 0) {
      this.#ledger.write({
        project: service.project,
        memory: { service: id, memory: after },
        runs: [...replaced.map(({ run, reason }) => endEarly(run, "replaced", reason)), ...runs],
        ...(forgetMissedAfterMs === undefined ? {} : { forgetMissedAfterMs }),
      });
    }
    if (after.lines.length > 0) {
      const untilMs =
        nextMatchMs(after.lines, Math.max(after.accountedMs, nowMs)) ?? Number.POSITIVE_INFINITY;
      this.#quiet.set(id, { spec, fromMs: after.accountedMs, untilMs });
    }
    for (const run of runs) this.#tell(run);
    return runs.length > 0;
  }

  #advance(job: Job, observed: ObservedState, nowMs: number): void {
    let older: RunId | undefined;
    for (const run of this.#ledger.active(job.service.id)) {
      const turn = older === undefined ? undefined : `waits for the end of ${older}`;
      const isWaiting = run.tasks.some(({ state }) => state === "waiting");
      const why = isWaiting ? (turn ?? this.#waits(job, observed)) : undefined;
      const { run: after, actions } = advance(run, {
        nowMs,
        tasks: this.#tasksOf(run.id),
        complete: observed.complete,
        isUnsettled: (task) => this.#work.isUnsettled(keyOf(run.id, task)),
        ...(why === undefined ? {} : { waitsFor: why }),
      });
      if (after !== run) this.#keep(after);
      for (const action of actions) this.#begin(action);
      if (!isOver(after) && job.spec.concurrency !== "allow") older ??= after.id;
    }
  }

  #waits({ service, project }: Job, observed: ObservedState): string | undefined {
    return waitsFor(service, project, observed, () => this.succeeded);
  }

  #begin(action: TaskAction): void {
    const { run, task } = action;
    this.#work.begin(keyOf(run, task), async (signal) => {
      if (action.kind === "launch") return this.#hands.launch(action, signal);
      const of = this.#tasksOf(run).find(({ replica }) => replica === action.replica);
      if (of !== undefined) await this.#hands.stop(of, `the run ${run} is ended`, signal);
    });
  }

  #tidy({ service, spec }: Job, tasks: readonly ObservedTask[]): void {
    const active = this.#ledger.active(service.id).map(({ id, state }) => id + state);
    const sight = [...tasks.map(({ replica, state }) => replica + state), ...active, spec.keep].join();
    if (this.#tidied.get(service.id) === sight) return;
    const settled = tasks.filter(({ run, task }) => !this.#work.isUnsettled(keyOf(run, task)));
    const steps = tidy({
      tasks: settled,
      keep: spec.keep,
      runOf: (run) => this.#ledger.activeRun(run) ?? this.#ledger.run(run),
      hasLog: ({ run, task, attempt }) => this.#ledger.hasLog(run, task, attempt),
    });
    for (const { kind, of } of steps) {
      this.#work.begin(`${kind} ${of.replica}`, (signal) => {
        return kind === "keep-log"
          ? this.#hands.keepLog(of, signal)
          : this.#hands.remove(of, "its run is over", signal);
      });
    }
    if (steps.length === 0 && settled.length === tasks.length) this.#tidied.set(service.id, sight);
    else this.#tidied.delete(service.id);
  }

  /** Runs and containers of jobs that are none any more. */
  #cancelOthers(known: ReadonlySet<ServiceId>, observed: ObservedState): void {
    for (const run of this.#ledger.allActive) {
      if (!known.has(run.service))
        this.#keep(endEarly(run, "cancelled", "its job is no longer in the project"));
    }
    const left = (observed.tasks ?? []).filter(({ service }) => !known.has(service));
    for (const of of left) {
      this.#work.begin(`remove ${of.replica}`, (signal) => this.#hands.remove(of, "its job is gone", signal));
    }
    if (!observed.complete) return;
    const kept = new Set([...known, ...left.map(({ service }) => service)]);
    for (const service of this.#ledger.forgetOthers(kept)) {
      this.#quiet.delete(service);
      this.#tidied.delete(service);
    }
  }

  /** Wakes up when something is due; what the engine does is told by the looks at it. */
  #setTimer(jobs: readonly Job[], nowMs: number): void {
    const instants = [
      ...jobs.flatMap(({ service }) => this.#quiet.get(service.id)?.untilMs ?? []),
      ...this.#ledger.allActive.flatMap(({ timeoutAtMs, tasks }) => [
        timeoutAtMs ?? Number.POSITIVE_INFINITY,
        ...tasks.map(({ notBeforeMs }) => notBeforeMs ?? Number.POSITIVE_INFINITY),
      ]),
    ].filter((atMs) => atMs > nowMs);
    clearTimeout(this.#timer);
    const waitMs = instants.reduce((least, atMs) => Math.min(least, atMs - nowMs), LONGEST_TIMER_MS);
    this.#timer = setTimeout(() => this.#lookSafely(), waitMs).unref();
  }

  #keep(run: Run): void {
    this.#ledger.write({ project: run.project, runs: [run] });
    this.#tell(run);
  }

  #tell(run: Run): void {
    const { log, onOver } = this.#options;
    if (!isOver(run)) return;
    const about = {
      run: run.id,
      state: run.state,
      ...(run.reason === undefined ? {} : { reason: run.reason }),
    };
    if (run.state === "succeeded") log.info(about, "a run is over");
    else log.warn(about, "a run is over");
    onOver?.(run);
  }

  #tasksOf(run: RunId): readonly ObservedTask[] {
    return this.#tasks.get(run) ?? [];
  }

  #jobs(): readonly Job[] {
    return this.#options
      .projects()
      .flatMap((project) =>
        project.services.flatMap((service): Job[] =>
          service.job === undefined ? [] : [{ service, project, spec: service.job }],
        ),
      );
  }

  #find(id: ServiceId): Job {
    const job = this.#jobs().find(({ service }) => service.id === id);
    if (job === undefined) throw new FlyballError("NOT_FOUND", `there is no job ${id}`);
    return job;
  }

  #about({ id, project, templateHash }: Service) {
    return { service: id, project, definition: templateHash };
  }

  #runNamed(service: ServiceId, name: string | undefined): Run {
    if (name !== undefined) {
      const run = this.#ledger.run(name.includes("@") ? name : `${service}@${name}`);
      if (run?.service === service) return run;
      throw new FlyballError("NOT_FOUND", `${service} has no run ${name} that is still known`);
    }
    const run = this.#ledger.runs(service, 100).find(({ state }) => state !== "missed");
    if (run === undefined) throw new FlyballError("NOT_FOUND", `${service} has not had a run`);
    return run;
  }

  #view({ service, spec }: Job): JobView {
    const [last] = this.#ledger.runs(service.id, 1);
    const lastSuccessAtMs = this.#ledger.lastSuccess(service.id)?.endedAtMs;
    const nowMs = this.#options.clock.nowMs();
    const nextDueAtMs = spec.trigger.kind === "schedule" ? nextMatchMs(spec.trigger.lines, nowMs) : undefined;
    return {
      service: service.id,
      project: service.project,
      name: service.name,
      due: dueText(spec),
      ...(nextDueAtMs === undefined ? {} : { nextDueAtMs }),
      active: this.#ledger.active(service.id).map(runView),
      ...(last === undefined ? {} : { last: runView(last) }),
      ...(lastSuccessAtMs === undefined ? {} : { lastSuccessAtMs }),
    };
  }
}

function keyOf(run: RunId, task: number): string {
  return `${run}#${task}`;
}
