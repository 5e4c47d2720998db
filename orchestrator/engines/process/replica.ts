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
import type { TaskIdentity } from "../../../core/job.ts";
import type { Log } from "../../../core/log.ts";
import type { ObservedReplica, ReplicaState } from "../../../core/types.ts";
import type { Command, CommandEnd } from "../../engine.ts";
import { abortable } from "./abortable.ts";
import type { Cgroups } from "./cgroup.ts";
import { DEFAULT_PATH, findCommand, whyNotDirectory } from "./command.ts";
import { type Place, runBeside } from "./exec.ts";
import { findMembers, type Group, killGroup, type Member, signalNumber } from "./group.ts";
import { GOOD_HEALTH, type Health, UNKNOWN_HEALTH } from "./health.ts";
import { HealthMonitor } from "./health-monitor.ts";
import { VARIABLES } from "./identity.ts";
import { keepingStatus, type LeftStatus, readLeftStatus } from "./left-status.ts";
import type { LogFiles } from "./logs.ts";
import { isPortFree, type PortPool } from "./ports.ts";
import { isAlive, type ProcessIdentity, startOf } from "./proc.ts";
import type { RecordStore, ReplicaRecord, Run } from "./record.ts";
import { type GatedProcess, spawnGated } from "./spawn.ts";
import { Stop } from "./stop.ts";

export interface ReplicaParts {
  readonly records: RecordStore;
  readonly cgroups: Cgroups;
  readonly logs: LogFiles;
  readonly ports: PortPool;
  readonly clock: Clock;
  readonly log: Log;
  readonly onChange: () => void;
}

interface Stopping {
  readonly stop: Stop;
  readonly done: Promise<void>;
}

/** How long the exit event of our own child may lag behind /proc. */
const EXIT_EVENT_MS = 1_000;

export class Replica implements AsyncDisposable {
  readonly #parts: ReplicaParts;
  #record: ReplicaRecord;
  #health: HealthMonitor | undefined;
  #starting: Promise<void> | undefined;
  #stopping: Stopping | undefined;
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
      if (!this.#leftStatus(run).begun) this.#record = withoutRun(this.#record);
      else this.#onEnded(undefined);
      return;
    }
    this.#watchHealth(run, run.readyAtMs === undefined ? UNKNOWN_HEALTH : GOOD_HEALTH);
    if (run.stoppingSinceMs !== undefined) this.#beginStop("gently");
  }

  /** Takes a process that says it is this replica, and that no record knows. */
  async adoptProcess(leader: ProcessIdentity): Promise<void> {
    const startedAtMs = startOf(leader, this.#parts.clock.nowMs());
    const run: Run = { ...leader, startedAtMs, readyAtMs: startedAtMs, notEnforced: [] };
    this.#record = { ...this.#record, run };
    await this.#saveQuietly();
    this.adopt();
  }

  /** For what nobody tells us: the end of a process that is not our child, and a stop that has failed so far. */
  poll(): void {
    const run = this.#run;
    if (run === undefined || this.#disposed) return;
    if (this.#adopted && !isAlive(run)) this.#onEnded(undefined);
    else if (run.stoppingSinceMs !== undefined) this.#beginStop("gently");
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
    await abortable(this.#beginStop("gently")?.done ?? this.#cleaned, signal);
  }

  /** Kills what runs, and leaves nothing. */
  remove(): Promise<void> {
    this.#removing ??= this.#remove().catch((error: unknown) => {
      this.#removing = undefined;
      throw error;
    });
    return this.#removing;
  }

  /** Runs a command as this replica. @throws FlyballError ENGINE_REFUSED; the signal's reason */
  async run(command: Command, signal: AbortSignal): Promise<CommandEnd> {
    if (this.#run === undefined)
      throw refused(`${this.#record.service}: replica ${this.#record.id} does not run`);
    return await runBeside(command, this.#place(), signal);
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
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    this.#health?.[Symbol.dispose]();
    this.#stopping?.stop.cancel();
    await Promise.allSettled([this.#starting, this.#stopping?.done, this.#cleaned]);
  }

  /** What a run has left to say of itself. */
  #leftStatus({ pid }: Run): LeftStatus {
    return readLeftStatus(this.#parts.records.statusPath(this.#record.id), pid);
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

    await this.#confirmPort();
    const isTask = this.#record.task !== undefined;
    const limitProblems = await this.#parts.cgroups.create(id, launch);
    try {
      const gated = await spawnGated({
        service,
        path: found.path,
        argv: isTask ? keepingStatus(launch.argv) : launch.argv,
        statusPath: this.#parts.records.statusPath(id),
        keepsStatus: isTask,
        environment: this.#environment(),
        workingDirectory: launch.workingDirectory,
        ...(launch.user === undefined ? {} : { user: launch.user }),
        logPath: this.#parts.logs.path(id),
      });
      await this.#letRun(gated, limitProblems);
    } catch (error) {
      await this.#parts.cgroups.remove(id).catch((left: unknown) => {
        this.#parts.log.warn({ replica: id, problem: messageOf(left) }, "a cgroup could not be removed");
      });
      throw error;
    }
  }

  /** Writes down who it is, and only then lets it become the command. */
  async #letRun(gated: GatedProcess, limitProblems: readonly string[]): Promise<void> {
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
    const record = { ...this.#record, run };
    try {
      await records.save(record);
      if (this.#disposed) throw new FlyballError("ENGINE_UNAVAILABLE", "the engine is being closed");
    } catch (error) {
      gated.abandon();
      await gated.ended;
      await records.save(this.#record).catch(() => undefined);
      throw error;
    }
    this.#record = record;
    this.#adopted = false;
    this.#exitSeen = Promise.withResolvers();
    this.#watchHealth(run, UNKNOWN_HEALTH);
    void gated.ended.then((code) => {
      const sameRun = this.#run?.pid === run.pid && this.#run.startTicks === run.startTicks;
      // After the engine was closed, what becomes of the replica is another one's to say.
      if (sameRun && !this.#disposed) this.#onEnded(code);
    });
    gated.release();
  }

  /** Keeps the port it has, or takes another when somebody took it while the replica did not run. */
  async #confirmPort(): Promise<void> {
    const { id, service, slot, port } = this.#record;
    if (await isPortFree(port)) return;
    const { ports } = this.#parts;
    const another = await ports.take(id, service, slot);
    ports.release(id);
    ports.hold(another, id);
    this.#record = { ...this.#record, port: another };
  }

  #environment(): Record<string, string> {
    const { id, owner, project, service, slot, port, launch, task } = this.#record;
    return {
      ...launch.environment,
      ...(task === undefined ? {} : taskVariables(task)),
      [VARIABLES.port]: String(port),
      [VARIABLES.owner]: owner,
      [VARIABLES.project]: project,
      [VARIABLES.service]: service,
      [VARIABLES.slot]: String(slot),
      [VARIABLES.replica]: id,
      [VARIABLES.role]: "replica",
    };
  }

  #place(): Place {
    const { workingDirectory, user } = this.#record.launch;
    return { environment: this.#environment(), workingDirectory, ...(user === undefined ? {} : { user }) };
  }

  #group(run: Run): Group {
    const { id } = this.#record;
    return { replica: id, leader: run, cgroupPids: () => this.#parts.cgroups.pids(id) };
  }

  #watchHealth(run: Run, health: Health): void {
    const { launch } = this.#record;
    if (launch.healthcheck === undefined) return;
    this.#health?.[Symbol.dispose]();
    this.#health = HealthMonitor.start({
      check: launch.healthcheck,
      place: this.#place(),
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

  /** The leader is gone; `seenCode` is absent when nobody watched. As in a container, the others end with it. */
  #onEnded(seenCode: number | undefined): void {
    const run = this.#run;
    if (run === undefined) return;
    this.#health?.[Symbol.dispose]();
    this.#health = undefined;
    const { cgroups, clock, log, onChange } = this.#parts;
    const { id, service } = this.#record;
    const group = this.#group(run);
    const left = findMembers(group, seenCode !== undefined);
    const code = seenCode ?? this.#leftStatus(run).exitCode;
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
    else this.#stopping.stop.leaderEnded(left);
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

  /** One stop at a time; a second one joins the first, and may only make it harder. Undefined: nothing runs. */
  #beginStop(how: "gently" | "kill"): Stopping | undefined {
    const run = this.#run;
    if (this.#stopping === undefined && run !== undefined) this.#stopping = this.#newStop(run);
    if (how === "kill") this.#stopping?.stop.harden();
    return this.#stopping;
  }

  #newStop(run: Run): Stopping {
    const { clock, log, onChange } = this.#parts;
    const { id, launch } = this.#record;
    const stoppingSinceMs = run.stoppingSinceMs ?? clock.nowMs();
    const alreadyMs = Math.max(0, clock.nowMs() - stoppingSinceMs);
    this.#record = { ...this.#record, run: { ...run, stoppingSinceMs } };
    this.#health?.[Symbol.dispose]();
    const stop = new Stop({
      group: this.#group(run),
      signal: signalNumber(launch.stopSignal) ?? constants.signals.SIGTERM,
      graceMs: Math.max(0, launch.stopGraceMs - alreadyMs),
      clock,
    });
    const done = this.#runStop(stop).finally(() => {
      this.#stopping = undefined;
      onChange();
    });
    done.catch((error: unknown) => {
      if (!this.#disposed) log.error({ replica: id, problem: messageOf(error) }, "a stop failed");
    });
    onChange();
    return { stop, done };
  }

  async #runStop(stop: Stop): Promise<void> {
    // Before the signal: a daemon that dies in between sends it again, and does not forget that it is to end.
    await this.#saveQuietly();
    await stop.run();
    const late = sleep(EXIT_EVENT_MS, undefined, { ref: false });
    if (!this.#adopted) await Promise.race([this.#exitSeen.promise, late]);
    this.#onEnded(undefined);
    await this.#saveQuietly();
  }

  async #remove(): Promise<void> {
    await this.#starting?.catch(() => undefined);
    await this.#beginStop("kill")?.done;
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

/** Of one whose daemon died before it let it run. */
function withoutRun({ run: _run, ...rest }: ReplicaRecord): ReplicaRecord {
  return rest;
}

function taskVariables({ run, task, attempt }: TaskIdentity): Record<string, string> {
  return { [VARIABLES.run]: run, [VARIABLES.task]: String(task), [VARIABLES.attempt]: String(attempt) };
}

function refused(message: string): FlyballError {
  return new FlyballError("ENGINE_REFUSED", message);
}
