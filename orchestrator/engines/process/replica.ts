/**
 * One replica: its record, its run, and what is going on with it.
 *
 * `created` → start → `starting`/`running`/`unhealthy` → stop → `stopping` → `exited` → start …; it may end by itself
 * at any time. Restarting it is for others to decide.
 */
import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../../../core/clock.ts";
import { FlyballError, messageOf } from "../../../core/errors.ts";
import type { Log } from "../../../core/log.ts";
import type { ObservedReplica, ReplicaState } from "../../../core/types.ts";
import type { Cgroups } from "./cgroup.ts";
import { DEFAULT_PATH, findCommand, whyNotDirectory } from "./command.ts";
import {
  findMembers,
  type Group,
  killGroup,
  livingMembers,
  type Member,
  signalGroup,
  signalMembers,
  signalNumber,
} from "./group.ts";
import { GOOD_HEALTH, type Health, UNKNOWN_HEALTH } from "./health.ts";
import { HealthMonitor } from "./health-monitor.ts";
import { VARIABLES } from "./identity.ts";
import type { LogFiles } from "./logs.ts";
import { isPortFree, type PortPool } from "./ports.ts";
import { isAlive, type ProcessIdentity } from "./proc.ts";
import type { RecordStore, ReplicaRecord, Run } from "./record.ts";
import { type GatedProcess, spawnGated } from "./spawn.ts";

export interface ReplicaParts {
  readonly records: RecordStore;
  readonly cgroups: Cgroups;
  readonly logs: LogFiles;
  readonly ports: PortPool;
  readonly clock: Clock;
  readonly log: Log;
  readonly onChange: () => void;
}

interface StopJob {
  /** No more waiting. */
  kill: boolean;
  /** What was seen of the group when its leader ended. */
  left: readonly Member[];
  wake: () => void;
  done: Promise<void>;
}

const STOP_POLL_MS = 100;
/** How long the exit event of our own child may lag behind /proc. */
const EXIT_EVENT_MS = 1_000;
/** What a shell says of a process that a signal ended. */
const SIGNAL_EXIT_BASE = 128;

export class Replica implements Disposable {
  readonly #parts: ReplicaParts;
  #record: ReplicaRecord;
  #health: HealthMonitor | undefined;
  #starting: Promise<void> | undefined;
  #stopping: StopJob | undefined;
  #removing: Promise<void> | undefined;
  /** After a run: when what it left behind is gone. */
  #cleaned: Promise<void> = Promise.resolve();
  #exitSeen: { promise: Promise<void>; resolve: () => void } = Promise.withResolvers();
  /** Started by a daemon before this one, so that its end is not told to us. */
  #adopted = false;
  #disposed = false;

  constructor(parts: ReplicaParts, record: ReplicaRecord) {
    this.#parts = parts;
    this.#record = record;
    parts.ports.hold(record.port, record.id);
  }

  get record(): ReplicaRecord {
    return this.#record;
  }

  /** Takes up what the record says was going on when the daemon before this one ended. */
  adopt(): void {
    const run = this.#run;
    if (run === undefined) return;
    this.#adopted = true;
    if (!isAlive(run)) {
      this.#onEnded(undefined);
      return;
    }
    this.#watchHealth(run, run.readyAtMs === undefined ? UNKNOWN_HEALTH : GOOD_HEALTH);
    if (run.stoppingSinceMs !== undefined) this.#beginStop(false);
  }

  /** Takes a process that says it is this replica, and that no record knows. */
  async adoptProcess(leader: ProcessIdentity, startedAtMs: number): Promise<void> {
    const run: Run = { ...leader, startedAtMs, readyAtMs: startedAtMs, notEnforced: [] };
    this.#record = { ...this.#record, run };
    await this.#saveQuietly();
    this.adopt();
  }

  /** For a replica whose end nobody tells us. */
  poll(): void {
    const run = this.#run;
    if (this.#adopted && run !== undefined && !isAlive(run)) this.#onEnded(undefined);
  }

  /** @throws FlyballError ENGINE_REFUSED, STORE_FULL, STORE_UNUSABLE */
  start(): Promise<void> {
    this.#starting ??= this.#start().finally(() => {
      this.#starting = undefined;
      this.#parts.onChange();
    });
    return this.#starting;
  }

  /**
   * The stop signal, the grace, the kill. Aborting ends the wait and not the stop, which has been told already.
   * @throws FlyballError ENGINE_REFUSED when something survives even the kill
   */
  async stop(signal: AbortSignal): Promise<void> {
    await this.#starting?.catch(() => undefined);
    const job = this.#run === undefined ? this.#stopping : this.#beginStop(false);
    await abortable(job === undefined ? this.#cleaned : job.done, signal);
  }

  /** Kills what runs, and leaves nothing. */
  remove(): Promise<void> {
    this.#removing ??= this.#remove().catch((error: unknown) => {
      this.#removing = undefined;
      throw error;
    });
    return this.#removing;
  }

  observed(): ObservedReplica {
    const { id, project, service, slot, port, launch, createdAtMs, templateHash, run } = this.#record;
    const exit = run?.exit;
    return {
      id,
      project,
      service,
      slot,
      name: `${service}.${slot}.${id}`,
      state: this.#state(),
      origin: "flyball",
      templateHash,
      createdAtMs,
      ...(run === undefined ? {} : { startedAtMs: run.startedAtMs }),
      ...(this.#run === undefined ? {} : { pid: this.#run.pid }),
      ...(run?.readyAtMs === undefined ? {} : { readyAtMs: run.readyAtMs }),
      ...(exit === undefined ? {} : { exitedAtMs: exit.atMs }),
      ...(exit?.code === undefined ? {} : { exitCode: exit.code }),
      ...(exit?.oomKilled === undefined ? {} : { oomKilled: exit.oomKilled }),
      endpoints: [{ targetPort: launch.targetPort ?? port, host: "127.0.0.1", port }],
      notEnforced: [
        ...launch.notEnforced,
        ...(run === undefined ? this.#parts.cgroups.notEnforced(launch) : run.notEnforced),
      ],
    };
  }

  /** Stops watching; what runs goes on. */
  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#health?.[Symbol.dispose]();
    this.#stopping?.wake();
  }

  /** The run that has not ended. */
  get #run(): Run | undefined {
    const { run } = this.#record;
    return run?.exit === undefined ? run : undefined;
  }

  #state(): ReplicaState {
    const { run } = this.#record;
    if (this.#stopping !== undefined) return "stopping";
    if (run === undefined) return "created";
    if (run.exit !== undefined) return "exited";
    if (run.stoppingSinceMs !== undefined) return "stopping";
    return this.#health?.health.state ?? "running";
  }

  async #start(): Promise<void> {
    await this.#stopping?.done;
    await this.#cleaned;
    if (this.#run !== undefined) return;
    const { id, service, launch } = this.#record;
    if (this.#removing !== undefined) throw refused(`${service}: replica ${id} is being removed`);
    const [command] = launch.argv;
    if (command === undefined)
      throw refused(`${service}: replica ${id} cannot be started again: its record was lost`);
    const badDirectory = whyNotDirectory(launch.workingDirectory);
    if (badDirectory !== undefined) throw refused(`${service}: ${badDirectory}`);
    const found = findCommand(command, launch.environment["PATH"] ?? DEFAULT_PATH, launch.workingDirectory);
    if ("problem" in found) throw refused(`${service}: ${found.problem}`);

    const port = await this.#confirmPort();
    const limitProblems = await this.#parts.cgroups.create(id, launch);
    try {
      const gated = await spawnGated({
        service,
        path: found.path,
        argv: launch.argv,
        environment: this.#environment(port),
        workingDirectory: launch.workingDirectory,
        ...(launch.user === undefined ? {} : { user: launch.user }),
        logPath: this.#parts.logs.path(id),
      });
      await this.#letRun(gated, port, limitProblems);
    } catch (error) {
      await this.#parts.cgroups.remove(id).catch((left: unknown) => {
        this.#parts.log.warn({ replica: id, problem: messageOf(left) }, "a cgroup could not be removed");
      });
      throw error;
    }
  }

  /** Writes down who it is, and only then lets it become the command. */
  async #letRun(gated: GatedProcess, port: number, limitProblems: readonly string[]): Promise<void> {
    const { cgroups, records, clock } = this.#parts;
    const { id, launch } = this.#record;
    const joinProblems = cgroups.join(id, gated.identity.pid, launch);
    const startedAtMs = clock.nowMs();
    const run: Run = {
      ...gated.identity,
      startedAtMs,
      ...(launch.healthcheck === undefined ? { readyAtMs: startedAtMs } : {}),
      notEnforced: [...new Set([...limitProblems, ...joinProblems])],
    };
    const record = { ...this.#record, port, run };
    const ended = Promise.withResolvers<void>();
    gated.child.once("exit", (code, signal) => {
      ended.resolve();
      if (this.#record.run?.startTicks === run.startTicks && this.#record.run.pid === run.pid) {
        this.#onEnded(code ?? SIGNAL_EXIT_BASE + (signal === null ? 0 : constants.signals[signal]));
      }
    });
    try {
      await records.save(record);
      if (this.#disposed) throw new FlyballError("ENGINE_UNAVAILABLE", "the engine is being closed");
    } catch (error) {
      gated.abandon();
      await ended.promise;
      await records.save(this.#record).catch(() => undefined);
      throw error;
    }
    this.#record = record;
    this.#adopted = false;
    this.#exitSeen = Promise.withResolvers();
    gated.release();
    // Somebody may have killed it at the gate, before anyone listened.
    if (gated.child.exitCode !== null || gated.child.signalCode !== null) {
      this.#onEnded(gated.child.exitCode ?? undefined);
      return;
    }
    this.#watchHealth(run, UNKNOWN_HEALTH);
  }

  /** The port it has, or another when somebody took it while the replica did not run. */
  async #confirmPort(): Promise<number> {
    const { id, service, slot, port } = this.#record;
    if (await isPortFree(port)) return port;
    this.#parts.ports.release(id);
    return this.#parts.ports.take(id, service, slot);
  }

  #environment(port: number): Record<string, string> {
    const { id, owner, project, service, slot, launch } = this.#record;
    return {
      ...launch.environment,
      [VARIABLES.port]: String(port),
      [VARIABLES.owner]: owner,
      [VARIABLES.project]: project,
      [VARIABLES.service]: service,
      [VARIABLES.slot]: String(slot),
      [VARIABLES.replica]: id,
      [VARIABLES.role]: "replica",
    };
  }

  #group(run: Run): Group {
    const { id } = this.#record;
    return { replica: id, leader: run, cgroupPids: () => this.#parts.cgroups.pids(id) };
  }

  #watchHealth(run: Run, health: Health): void {
    const { launch, port } = this.#record;
    if (launch.healthcheck === undefined) return;
    this.#health?.[Symbol.dispose]();
    this.#health = HealthMonitor.start({
      check: launch.healthcheck,
      environment: this.#environment(port),
      workingDirectory: launch.workingDirectory,
      ...(launch.user === undefined ? {} : { user: launch.user }),
      health,
      startedAtMs: run.startedAtMs,
      clock: this.#parts.clock,
      onChange: (now) => this.#onHealth(now),
    });
    if (this.#health === undefined) this.#becomeReady();
  }

  #onHealth(health: Health): void {
    const { id, service } = this.#record;
    this.#parts.log.info({ replica: id, service, state: health.state }, "health changed");
    if (health.state === "running") this.#becomeReady();
    this.#parts.onChange();
  }

  #becomeReady(): void {
    const run = this.#run;
    if (run === undefined || run.readyAtMs !== undefined) return;
    this.#record = { ...this.#record, run: { ...run, readyAtMs: this.#parts.clock.nowMs() } };
    void this.#saveQuietly();
  }

  /** The leader is gone; `code` is absent when nobody watched. As in a container, the others end with it. */
  #onEnded(code: number | undefined): void {
    const run = this.#run;
    if (run === undefined) return;
    this.#health?.[Symbol.dispose]();
    this.#health = undefined;
    const { cgroups, clock, log, onChange } = this.#parts;
    const { id, service } = this.#record;
    const group = this.#group(run);
    const left = findMembers(group, code !== undefined);
    const oomKilled = cgroups.oomKilled(id);
    const exit = {
      atMs: clock.nowMs(),
      ...(code === undefined ? {} : { code }),
      ...(oomKilled === undefined ? {} : { oomKilled }),
    };
    this.#record = { ...this.#record, run: { ...run, exit } };
    log.info({ replica: id, service, pid: run.pid, exitCode: code, oomKilled }, "a replica ended");
    this.#exitSeen.resolve();
    if (this.#stopping === undefined) this.#cleaned = this.#cleanUp(group, left);
    else {
      this.#stopping.left = left;
      this.#stopping.wake();
    }
    onChange();
  }

  /** The end is written down only when nothing is left: a daemon that dies here finds the rest of the group again. */
  async #cleanUp(group: Group, left: readonly Member[]): Promise<void> {
    try {
      await killGroup(group, left);
      await this.#saveQuietly();
    } catch (error) {
      this.#parts.log.error(
        { replica: group.replica, problem: messageOf(error) },
        "a replica left processes behind",
      );
    }
  }

  /** One stop at a time; a second one joins the first, and may only make it harder. */
  #beginStop(kill: boolean): StopJob | undefined {
    const run = this.#run;
    const going = this.#stopping;
    if (going !== undefined) {
      going.kill ||= kill;
      going.wake();
      return going;
    }
    if (run === undefined) return undefined;
    const job: StopJob = { kill, left: [], wake: () => undefined, done: Promise.resolve() };
    this.#stopping = job;
    const { clock, log, onChange } = this.#parts;
    const stoppingSinceMs = run.stoppingSinceMs ?? clock.nowMs();
    this.#record = { ...this.#record, run: { ...run, stoppingSinceMs } };
    this.#health?.[Symbol.dispose]();
    job.done = this.#runStop(job, run, stoppingSinceMs).finally(() => {
      this.#stopping = undefined;
      onChange();
    });
    job.done.catch((error: unknown) => {
      if (!this.#disposed)
        log.error({ replica: this.#record.id, problem: messageOf(error) }, "a stop failed");
    });
    onChange();
    return job;
  }

  async #runStop(job: StopJob, run: Run, stoppingSinceMs: number): Promise<void> {
    const { clock } = this.#parts;
    const { stopSignal, stopGraceMs } = this.#record.launch;
    await this.#saveQuietly();
    const group = this.#group(run);
    const number = signalNumber(stopSignal) ?? constants.signals.SIGTERM;
    if (!job.kill && !signalGroup(run, number)) signalMembers(findMembers(group), number);

    const alreadyMs = Math.max(0, clock.nowMs() - stoppingSinceMs);
    const deadlineMs = clock.monotonicMs() + Math.max(0, stopGraceMs - alreadyMs);
    const somethingLives = (): boolean =>
      isAlive(run) || livingMembers(job.left).length > 0 || findMembers(group).length > 0;
    while (!job.kill && clock.monotonicMs() < deadlineMs && somethingLives()) {
      await this.#pause(job, Math.min(STOP_POLL_MS, deadlineMs - clock.monotonicMs()));
      if (this.#disposed) throw new FlyballError("ENGINE_UNAVAILABLE", "the engine was closed during a stop");
    }
    await killGroup(group, job.left);
    if (!this.#adopted) await Promise.race([this.#exitSeen.promise, sleep(EXIT_EVENT_MS)]);
    this.#onEnded(undefined);
    await this.#saveQuietly();
  }

  async #pause(job: StopJob, durationMs: number): Promise<void> {
    const woken = Promise.withResolvers<void>();
    job.wake = woken.resolve;
    const timer = setTimeout(woken.resolve, durationMs);
    await woken.promise;
    clearTimeout(timer);
  }

  async #remove(): Promise<void> {
    await this.#starting?.catch(() => undefined);
    await this.#beginStop(true)?.done;
    await this.#cleaned;
    const { cgroups, logs, ports, records } = this.#parts;
    const { id } = this.#record;
    await cgroups.remove(id);
    await logs.remove(id);
    // Last, so that a daemon that dies here knows what is left to remove.
    await records.delete(id);
    ports.release(id);
  }

  /** For news that is true whether or not it can be written down; what is lost is found out again at the next start. */
  async #saveQuietly(): Promise<void> {
    try {
      await this.#parts.records.save(this.#record);
    } catch (error) {
      this.#parts.log.error(
        { replica: this.#record.id, problem: messageOf(error) },
        "a record could not be written",
      );
    }
  }
}

function refused(message: string): FlyballError {
  return new FlyballError("ENGINE_REFUSED", message);
}

/** @throws the signal's reason, as soon as it is aborted */
async function abortable(work: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
