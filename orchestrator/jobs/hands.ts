import type { Clock } from "../../core/clock.ts";
import { isFlyballError, messageOf } from "../../core/errors.ts";
import type { ObservedTask, RunId } from "../../core/job.ts";
import type { Log } from "../../core/log.ts";
import type { Project, Service, ServiceId } from "../../core/types.ts";
import type { Engine } from "../engine.ts";
import { replicaLog } from "../replica-log.ts";
import { type TaskAction, withContainer, withRefusal, withStarted } from "./advance.ts";
import type { JobLedger } from "./ledger.ts";
import type { Run } from "./run.ts";
import { taskService } from "./task-service.ts";

export interface HandsOptions {
  readonly engine: Engine;
  readonly ledger: JobLedger;
  readonly clock: Clock;
  readonly log: Log;
  readonly projects: () => readonly Project[];
  /** Writes a run down that has changed. */
  readonly keep: (run: Run) => void;
}

const MOST_LOG_TRIES = 3;

/** Does with the engine what is to be done for a task. What throws was not done, and may be tried again. */
export class Hands {
  readonly #options: HandsOptions;
  readonly #logTries = new Map<string, number>();

  constructor(options: HandsOptions) {
    this.#options = options;
  }

  /** Made, written down, started: a daemon that dies in between finds it and starts it, and never a second time. */
  async launch(action: Extract<TaskAction, { kind: "launch" }>, signal: AbortSignal): Promise<void> {
    const { engine, clock, log, ledger } = this.#options;
    const { task, attempt, replica } = action;
    const run = ledger.activeRun(action.run);
    const found = run === undefined ? undefined : this.#find(run.project, run.service);
    if (run === undefined || found?.service === undefined) return;
    const identity = { run: run.id, task, attempt };
    const service = taskService(found.service, run, identity);
    const context = { project: found.project, service, task: identity };
    const about = { id: 0, after: [], cause: `the run ${run.id}`, service: run.service, slot: task + 1 };
    try {
      const made = replica ?? (await engine.perform({ ...about, kind: "create-replica" }, context, signal));
      if (made === undefined) return;
      const noted = this.#change(run.id, (now) => withContainer(now, task, made));
      if (noted === undefined || noted.ending !== undefined) return;
      await (replica === undefined
        ? engine.perform({ ...about, kind: "start-replica" }, { ...context, createdReplica: made }, signal)
        : engine.perform({ ...about, kind: "start-replica", replica }, context, signal));
      this.#change(run.id, (now) => withStarted(now, task, clock.nowMs()));
      log.info({ run: run.id, task, attempt }, "a task was started");
    } catch (error) {
      // An engine that does not answer may have done it all the same: what is there is looked at before the next try.
      if (signal.aborted || !isFlyballError(error) || error.code === "ENGINE_UNAVAILABLE") throw error;
      this.#change(run.id, (now) => withRefusal(now, task, messageOf(error), clock.nowMs()));
    }
  }

  async stop(of: ObservedTask, cause: string, signal: AbortSignal): Promise<void> {
    await this.#end(of, "stop-replica", cause, signal);
  }

  async remove(of: ObservedTask, cause: string, signal: AbortSignal): Promise<void> {
    if (of.state === "running" || of.state === "stopping") await this.stop(of, cause, signal);
    await this.#end(of, "remove-replica", cause, signal);
  }

  async keepLog({ run: id, task, attempt, replica }: ObservedTask, signal: AbortSignal): Promise<void> {
    const { engine, ledger } = this.#options;
    const run = ledger.run(id);
    if (run === undefined) return;
    const tries = (this.#logTries.get(replica) ?? 0) + 1;
    this.#logTries.set(replica, tries);
    try {
      ledger.keepLog(run, { task, attempt, text: await replicaLog(engine, replica, signal) });
    } catch (error) {
      if (signal.aborted || tries < MOST_LOG_TRIES) throw error;
      ledger.keepLog(run, { task, attempt, text: `(the log could not be read: ${messageOf(error)})` });
    }
    this.#logTries.delete(replica);
  }

  async #end(
    of: ObservedTask,
    kind: "stop-replica" | "remove-replica",
    cause: string,
    signal: AbortSignal,
  ): Promise<void> {
    const found = this.#find(of.project, of.service);
    if (found === undefined) return;
    const { project, service } = found;
    const about = { id: 0, after: [], cause, service: of.service, slot: of.task + 1, replica: of.replica };
    const context = { project, ...(service === undefined ? {} : { service }) };
    await this.#options.engine.perform({ ...about, kind }, context, signal);
  }

  /** Of a run that is not over: it may have changed while something was being done. */
  #change(id: RunId, change: (run: Run) => Run): Run | undefined {
    const run = this.#options.ledger.activeRun(id);
    if (run === undefined) return undefined;
    const after = change(run);
    if (after !== run) this.#options.keep(after);
    return after;
  }

  #find(name: string, id: ServiceId): { project: Project; service: Service | undefined } | undefined {
    const project = this.#options.projects().find((one) => one.name === name);
    if (project === undefined) return undefined;
    return { project, service: project.services.find((service) => service.id === id) };
  }
}
