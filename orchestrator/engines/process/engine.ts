/** An engine that needs no Docker: a replica is a command of this machine, in a session, cgroup and port of its own. */
import { randomBytes } from "node:crypto";
import { availableParallelism, constants, release, totalmem } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../../core/clock.ts";
import type { Diagnostic } from "../../../core/diagnostics.ts";
import { FlyballError, messageOf } from "../../../core/errors.ts";
import type { TaskIdentity } from "../../../core/job.ts";
import type { Log } from "../../../core/log.ts";
import type { Action, ObservedState, Project, ReplicaId, Service, ServiceId } from "../../../core/types.ts";
import type { RunningFacts } from "../../doctor/facts.ts";
import type { ActionContext, Command, CommandEnd, Engine, EngineScene, LogBounds } from "../../engine.ts";
import type { Found } from "../../housekeeping/found.ts";
import { observedTask } from "../../observed-task.ts";
import { Cgroups, DEFAULT_CGROUP_ROOT } from "./cgroup.ts";
import { checkService } from "./check.ts";
import { signalMembers } from "./group.ts";
import { discardFile, inventory, type Places } from "./housekeeping.ts";
import { type Host, planLaunch } from "./launch.ts";
import { LogFiles } from "./logs.ts";
import { type Carrier, findCarriers, leaderOf, orphanRecord } from "./orphans.ts";
import { DEFAULT_PORT_RANGE, PortPool, type PortRange } from "./ports.ts";
import { isAlive, type ProcessIdentity, readBootId } from "./proc.ts";
import { RecordStore } from "./record.ts";
import { Replica, type ReplicaParts } from "./replica.ts";
import { sceneOf } from "./scene.ts";
import { pastGate } from "./spawn.ts";
import { readAccounts } from "./user.ts";

export interface ProcessEngineOptions {
  /** Records and logs go to `process/` in it. */
  readonly dataDirectory: string;
  readonly instanceId: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Where replicas' ports come from, first and last. */
  readonly portRange?: PortRange;
  /** Where the kernel's cgroups are mounted; null: use none. */
  readonly cgroupRoot?: string | null;
}

/** A process that is not our child does not tell us of its end. */
const ADOPTED_POLL_MS = 500;
const ROTATE_INTERVAL_MS = 2_000;
/** Reads every process's environment, so not at each look. */
const ORPHAN_SCAN_INTERVAL_MS = 30_000;

/**
 * Opens the engine on a data directory and takes up every replica that an earlier daemon left running.
 * @throws FlyballError ENGINE_UNSUPPORTED, STORE_UNUSABLE, STORE_FULL
 */
export async function openProcessEngine(options: ProcessEngineOptions): Promise<Engine> {
  if (process.platform !== "linux") {
    throw new FlyballError(
      "ENGINE_UNSUPPORTED",
      `the process engine needs Linux's /proc, this is ${process.platform}`,
    );
  }
  const directory = join(options.dataDirectory, "process");
  const logDirectory = join(directory, "logs");
  const records = await RecordStore.open(directory, options.log);
  const logs = await LogFiles.open(logDirectory);
  const { cgroupRoot = DEFAULT_CGROUP_ROOT, portRange = DEFAULT_PORT_RANGE } = options;
  const engine = new ProcessEngine(
    options,
    { directory, logDirectory },
    {
      records,
      logs,
      cgroups: new Cgroups(cgroupRoot, options.instanceId),
      ports: new PortPool(portRange),
      clock: options.clock,
      log: options.log,
    },
  );
  await engine.takeUp();
  return engine;
}

class ProcessEngine implements Engine {
  readonly kind = "process";
  readonly description = `processes of this machine (Linux ${release()})`;
  readonly machine = { cores: availableParallelism(), memoryBytes: totalmem() };
  readonly #instanceId: string;
  readonly #parts: ReplicaParts;
  readonly #host: Host;
  readonly #places: Places;
  readonly #replicas = new Map<ReplicaId, Replica>();
  readonly #hints = new Set<() => void>();
  readonly #timers: NodeJS.Timeout[] = [];
  #scannedAtMs = 0;
  #rotating = false;
  #closed = false;

  constructor(options: ProcessEngineOptions, places: Places, parts: Omit<ReplicaParts, "onChange">) {
    this.#instanceId = options.instanceId;
    this.#places = places;
    this.#parts = { ...parts, onChange: () => this.#hint() };
    this.#host = { environment: process.env, uid: process.getuid?.() ?? -1, accounts: readAccounts() };
  }

  async takeUp(): Promise<void> {
    for (const record of await this.#parts.records.load()) {
      this.#replicas.set(record.id, new Replica(this.#parts, record));
    }
    const carriers = this.#scan();
    // A check that was being asked when the daemon died has nobody left who would end it.
    const checks = carriers.filter((carrier) => carrier.isHealthcheck).map((carrier) => carrier.process);
    signalMembers(checks, constants.signals.SIGKILL);
    for (const [id, replica] of this.#replicas) await this.#takeUpOne(id, replica, carriers);
    await this.#takeUpOrphans(carriers);
    await this.#parts.cgroups.sweep(new Set(this.#replicas.keys()));
    this.#every(ADOPTED_POLL_MS, () => {
      for (const replica of this.#replicas.values()) replica.poll();
    });
    this.#every(ROTATE_INTERVAL_MS, () => void this.#rotateLogs());
  }

  async observe(projects: readonly Project[], signal: AbortSignal): Promise<ObservedState> {
    this.#throwIfClosed();
    signal.throwIfAborted();
    if (this.#parts.clock.monotonicMs() - this.#scannedAtMs > ORPHAN_SCAN_INTERVAL_MS) {
      await this.#takeUpOrphans(this.#scan());
    }
    const names = new Set(projects.map((project) => project.name));
    const replicas = [...this.#replicas.values()].filter((replica) => names.has(replica.record.project));
    for (const replica of replicas) replica.poll();
    const others = replicas.filter((replica) => !isTask(replica));
    return {
      atMs: this.#parts.clock.nowMs(),
      complete: true,
      replicas: others.map((replica) => replica.observed()),
      tasks: replicas.flatMap((replica) => {
        const { task } = replica.record;
        return task === undefined ? [] : [observedTask(task, replica.observed())];
      }),
      // This engine has none of these and needs none: all that is asked for counts as there, so that nobody plans to
      // make it. What that costs a service is said by `check`.
      networks: projects.flatMap((project) => project.networks.map((network) => network.name)),
      volumes: projects.flatMap((project) => project.volumes.map((volume) => volume.name)),
      images: projects.flatMap((project) =>
        project.services.flatMap((service) => service.template.image ?? []),
      ),
    };
  }

  async perform(action: Action, context: ActionContext, signal: AbortSignal): Promise<ReplicaId | undefined> {
    this.#throwIfClosed();
    signal.throwIfAborted();
    switch (action.kind) {
      case "pull-image":
      case "create-network":
      case "create-volume":
      case "remove-network":
        return undefined;
      case "create-replica":
        if (action.cloneOf !== undefined) {
          throw new FlyballError("ENGINE_UNSUPPORTED", `${action.service}: a process cannot be cloned`);
        }
        return await this.#create(action.slot, context);
      case "start-replica":
        await this.#find(action.replica ?? context.createdReplica, action.service).start();
        return undefined;
      case "stop-replica":
        await this.#replicas.get(action.replica)?.stop(signal);
        return undefined;
      case "remove-replica":
        await this.#replicas.get(action.replica)?.remove();
        if (this.#replicas.delete(action.replica)) this.#hint();
        return undefined;
      default:
        return action satisfies never;
    }
  }

  watch(onHint: () => void): Disposable {
    // A function of its own for each watcher, so that the same one may be given twice.
    const hint = (): void => onHint();
    this.#hints.add(hint);
    return { [Symbol.dispose]: () => void this.#hints.delete(hint) };
  }

  check(project: Project): readonly Diagnostic[] {
    return project.services.flatMap((service) =>
      checkService(service, project, this.#host, this.#parts.cgroups),
    );
  }

  async logs(replica: ReplicaId, service: ServiceId, lines: number): Promise<string> {
    if (!this.#replicas.has(replica))
      throw new FlyballError("NOT_FOUND", `${service}: no replica ${replica}`);
    return await this.#parts.logs.tail(replica, lines);
  }

  async imageId(): Promise<undefined> {
    return undefined;
  }

  async run(id: ReplicaId, command: Command, signal: AbortSignal): Promise<CommandEnd> {
    this.#throwIfClosed();
    const replica = this.#replicas.get(id);
    if (replica === undefined) throw new FlyballError("ENGINE_REFUSED", `there is no replica ${id}`);
    return await replica.run(command, signal);
  }

  async scene(replica: ReplicaId, bounds: LogBounds, _signal: AbortSignal): Promise<EngineScene> {
    return await sceneOf(this.#parts.logs, this.#replicas.get(replica)?.record, replica, bounds);
  }

  /** Processes of one host share its names and files anyway, and each has a port of its own. */
  async examine(_project: Project, _signal: AbortSignal): Promise<ReadonlyMap<ServiceId, RunningFacts>> {
    return new Map();
  }

  async uses(): Promise<readonly []> {
    return [];
  }

  async inventory(_signal: AbortSignal): Promise<readonly Found[]> {
    return await inventory(
      this.#places,
      Array.from(this.#replicas.values(), ({ record }) => record),
    );
  }

  async discard(found: Found, signal: AbortSignal): Promise<void> {
    this.#throwIfClosed();
    if (found.kind !== "replica") {
      await discardFile(this.#places, found, new Set(this.#replicas.keys()));
      return;
    }
    const replica = this.#replicas.get(found.id);
    if (replica === undefined) return;
    if (found.unstarted === true && replica.record.run !== undefined) {
      throw new FlyballError("ENGINE_REFUSED", `${found.name} stays: it was started by now`);
    }
    await replica.stop(signal);
    await replica.remove();
    this.#replicas.delete(found.id);
    this.#hint();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#hints.clear();
    this.#closed = true;
    await Promise.all([...this.#replicas.values()].map((replica) => replica[Symbol.asyncDispose]()));
    // The next daemon knows of a replica what it reads.
    await this.#parts.records.settled();
    await this.#parts.cgroups.close();
  }

  async #create(slot: number, { project, service, task }: ActionContext): Promise<ReplicaId> {
    if (service === undefined) throw new FlyballError("INTERNAL", "create-replica without a service");
    const made = this.#neverStarted(service, slot, task);
    if (made !== undefined) return made;
    const { launch, problems } = planLaunch(service, project, this.#host);
    const [problem] = problems;
    if (problem !== undefined) {
      throw new FlyballError("ENGINE_REFUSED", `${service.id}: ${problem.message}`, {
        problems: problems.map(({ field, message }) => ({
          at: `services.${service.name}.${field}`,
          message,
        })),
      });
    }
    const { clock, ports, records } = this.#parts;
    const id = randomBytes(8).toString("hex");
    const port = await ports.take(id, service.id, slot);
    const record = {
      version: 1 as const,
      id,
      owner: this.#instanceId,
      project: project.name,
      service: service.id,
      slot,
      templateHash: service.templateHash,
      createdAtMs: clock.nowMs(),
      port,
      launch,
      ...(task === undefined ? {} : { task }),
    };
    try {
      await records.save(record);
    } catch (error) {
      ports.release(id);
      throw error;
    }
    this.#replicas.set(id, new Replica(this.#parts, record));
    this.#hint();
    return id;
  }

  /** What an earlier try of the same action made. */
  #neverStarted(
    { id, templateHash }: Service,
    slot: number,
    task: TaskIdentity | undefined,
  ): ReplicaId | undefined {
    return [...this.#replicas.values()].find(
      ({ record }) =>
        record.service === id &&
        record.slot === slot &&
        record.templateHash === templateHash &&
        isSameTask(record.task, task) &&
        record.run === undefined,
    )?.record.id;
  }

  #find(id: ReplicaId | undefined, service: ServiceId): Replica {
    const replica = id === undefined ? undefined : this.#replicas.get(id);
    if (replica === undefined) {
      throw new FlyballError(
        "ENGINE_REFUSED",
        `${service}: there is no replica ${id ?? "in that slot"} to start`,
      );
    }
    return replica;
  }

  async #takeUpOne(id: ReplicaId, replica: Replica, carriers: readonly Carrier[]): Promise<void> {
    const { run } = replica.record;
    if (run !== undefined && isAlive(run)) await pastGate(run.pid);
    const leader = leaderOf(carriers.filter((carrier) => carrier.replica === id));
    // A run that the record knows counts, even when only its children are left: those are for it to end.
    const unknown = run === undefined || run.exit !== undefined;
    if (unknown && leader !== undefined) {
      await replica.adoptProcess(identityOf(leader));
    } else replica.adopt();
  }

  async #takeUpOrphans(carriers: readonly Carrier[]): Promise<void> {
    const byReplica = Map.groupBy(carriers, (carrier) => carrier.replica);
    for (const [id, ofReplica] of byReplica) {
      if (this.#replicas.has(id)) continue;
      const leader = leaderOf(ofReplica);
      const record = leader === undefined ? undefined : orphanRecord(leader, this.#parts.clock.nowMs());
      if (leader === undefined || record === undefined) continue;
      this.#parts.log.warn(
        { replica: id, service: record.service, pid: leader.process.pid },
        "found an orphan",
      );
      const replica = new Replica(this.#parts, record);
      this.#replicas.set(id, replica);
      await replica.adoptProcess(identityOf(leader));
    }
  }

  #scan(): Carrier[] {
    this.#scannedAtMs = this.#parts.clock.monotonicMs();
    return findCarriers(this.#instanceId, new Set(this.#replicas.keys()));
  }

  async #rotateLogs(): Promise<void> {
    if (this.#rotating) return;
    this.#rotating = true;
    for (const id of this.#replicas.keys()) {
      await this.#parts.logs.rotate(id).catch((error: unknown) => {
        this.#parts.log.warn({ replica: id, problem: messageOf(error) }, "a log could not be rotated");
      });
    }
    this.#rotating = false;
  }

  #every(intervalMs: number, task: () => void): void {
    this.#timers.push(setInterval(task, intervalMs).unref());
  }

  #throwIfClosed(): void {
    if (this.#closed) throw new FlyballError("ENGINE_UNAVAILABLE", "the process engine has been closed");
  }

  #hint(): void {
    for (const hint of this.#hints) hint();
  }
}

function isTask({ record }: Replica): boolean {
  return record.task !== undefined;
}

function isSameTask(a: TaskIdentity | undefined, b: TaskIdentity | undefined): boolean {
  return a?.run === b?.run && a?.task === b?.task && a?.attempt === b?.attempt;
}

function identityOf({ process }: Carrier): ProcessIdentity {
  return { pid: process.pid, startTicks: process.startTicks, bootId: readBootId() };
}
