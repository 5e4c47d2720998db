import { readFileSync } from "node:fs";
import { join } from "node:path/posix";
import type { ReplicaId } from "../../core/types.ts";
import type { Discovered } from "../discover/discovered.ts";
import { BlockDevices } from "./block-devices.ts";
import { readLimits } from "./cgroup-limits.ts";
import {
  type CgroupDirectories,
  type CgroupMount,
  cgroupDirectories,
  containerCgroup,
  parseCgroupMounts,
  processEngineCgroup,
} from "./cgroup-paths.ts";
import { CgroupV1Reader } from "./cgroup-v1.ts";
import { CgroupV2Reader } from "./cgroup-v2.ts";
import { GoneError, isGone } from "./kept-file.ts";
import { type MachineUnits, readMachineUnits } from "./machine-units.ts";
import { type Details, Measurement, type MeasurementReader, NO_DETAILS } from "./measurement.ts";
import { MemoryEventsReader } from "./memory-events.ts";
import { isOnHostNetwork, NetworkReader } from "./network-reader.ts";
import { PressureReader } from "./pressure-reader.ts";
import { parseBootTime, parseProcStat } from "./proc-stat.ts";
import { ProcessTable } from "./process-table.ts";
import { ProcessTreeReader } from "./process-tree.ts";
import { pidsBelow } from "./processes-look.ts";

/** What must be known of a container or process to read it. */
export interface Readable extends Pick<Discovered, "kind" | "pid"> {
  readonly id: ReplicaId;
  /** Absent: it is seen by its namespace whether it has a network of its own. */
  readonly network?: Discovered["network"];
}

/** The machine that is read: `/`, the mounted root of a host, or a recorded tree. */
export class Host {
  readonly processes: ProcessTable;
  readonly units: MachineUnits;
  readonly blockDevices: BlockDevices;
  readonly #root: string;
  #mounts: readonly CgroupMount[] | undefined;
  #bootedAtSeconds: number | undefined;

  constructor(root = "/") {
    this.#root = root;
    this.processes = new ProcessTable(this.procRoot);
    this.units = readMachineUnits();
    this.blockDevices = new BlockDevices(this.procRoot);
  }

  get procRoot(): string {
    return join(this.#root, "proc");
  }

  /** A new round begins: what was remembered for the last one is looked up again when asked for. */
  beginRound(): void {
    this.#mounts = undefined;
    this.processes.invalidate();
  }

  /** The cgroup directories of a process as paths of this process. */
  cgroupDirectories({ id, kind, pid }: Readable): CgroupDirectories {
    const owner = kind === "container" ? containerCgroup(id) : processEngineCgroup;
    const directories = cgroupDirectories(this.#cgroupText(pid), this.#cgroupMounts(), owner);
    return Object.fromEntries(
      Object.entries(directories).map(([controller, path]) => [controller, join(this.#root, path)]),
    );
  }

  /** When a process started, by the wall clock; undefined when it cannot be told. */
  startedAtSeconds(pid: number): number | undefined {
    try {
      const stat = parseProcStat(readFileSync(join(this.procRoot, String(pid), "stat"), "latin1"));
      this.#bootedAtSeconds ??= parseBootTime(readFileSync(join(this.procRoot, "stat"), "latin1"));
      if (stat === undefined || this.#bootedAtSeconds === undefined) return undefined;
      return this.#bootedAtSeconds + stat.startTicks / this.units.ticksPerSecond;
    } catch {
      return undefined;
    }
  }

  #cgroupText(pid: number): string {
    try {
      return readFileSync(join(this.procRoot, String(pid), "cgroup"), "utf8");
    } catch (error) {
      throw isGone(error) ? new GoneError(`process ${pid} is gone`) : error;
    }
  }

  #cgroupMounts(): readonly CgroupMount[] {
    this.#mounts ??= parseCgroupMounts(readFileSync(join(this.procRoot, "self/mountinfo"), "utf8"));
    return this.#mounts;
  }
}

/** Reads one container or process whole. */
export interface Reader extends Disposable {
  /** @throws GoneError when what it reads has ended */
  read(): Measurement;
  /** Takes up what was found out elsewhere, for all measurements from now on. */
  note(details: Details): void;
  /** Its processes at this moment; dear. */
  pids(): number[];
}

/**
 * Opens what a container or process is best read from: its own cgroup, v1 before v2 where a hybrid host has both; for
 * a process, what its cgroups do not hold comes from its process tree.
 * @throws GoneError when it has ended, Error when there is nothing of its own to read
 */
export function openReader(readable: Readable, host: Host): Reader {
  const { id, kind, pid, network } = readable;
  using opened = new DisposableStack();
  const inOrder: MeasurementReader[] = [];
  // Opened before the pid is known to be this container's, not after: by then it could be another's.
  const ownNetwork =
    kind === "container" && (network ?? "own") === "own" && !isOnHostNetwork(host.procRoot, pid)
      ? opened.use(new NetworkReader(host.procRoot, pid))
      : undefined;
  const startedAtSeconds = host.startedAtSeconds(pid);
  const directories = host.cgroupDirectories(readable);
  const v1 = opened.use(new CgroupV1Reader(directories, host.units.ticksPerSecond, host.blockDevices));
  let { hasCpu, hasMemory } = v1;
  if (directories.unified !== undefined) {
    if (!(hasCpu && hasMemory)) {
      const v2 = opened.use(new CgroupV2Reader(directories.unified, host.blockDevices));
      inOrder.push(v2);
      hasCpu ||= v2.hasCpu;
      hasMemory ||= v2.hasMemory;
    }
  }
  let tree: ProcessTreeReader | undefined;
  if (kind === "process" && !(hasCpu && hasMemory)) {
    tree = opened.use(new ProcessTreeReader(pid, host.procRoot, host.processes, host.units));
    inOrder.unshift(tree);
  } else if (!hasCpu && !hasMemory) {
    throw new Error(`process ${pid} is in no readable cgroup of ${id}`);
  }
  inOrder.push(v1);
  const [memory, version] = v1.hasMemory
    ? [directories.memory, 1 as const]
    : [directories.unified, 2 as const];
  if (memory !== undefined) inOrder.push(opened.use(new MemoryEventsReader(memory, version)));
  if (directories.unified !== undefined) {
    inOrder.push(opened.use(new PressureReader(directories.unified)));
  }
  // Last: when the cgroup is gone, it is not read any more, and with it closed the dead namespace can go.
  if (ownNetwork !== undefined) inOrder.push(ownNetwork);
  return new WholeReader(inOrder, directories, tree, startedAtSeconds, pid, opened.move());
}

/** Limits change when somebody changes them: looked at in one of so many readings, not in the same for all. */
const LIMITS_EVERY = 30;

class WholeReader implements Reader {
  readonly #readers: readonly MeasurementReader[];
  readonly #directories: CgroupDirectories;
  readonly #tree: ProcessTreeReader | undefined;
  readonly #opened: DisposableStack;
  readonly #phase: number;
  #reads = 0;
  #details: Details;

  constructor(
    readers: readonly MeasurementReader[],
    directories: CgroupDirectories,
    tree: ProcessTreeReader | undefined,
    startedAtSeconds: number | undefined,
    pid: number,
    opened: DisposableStack,
  ) {
    this.#readers = readers;
    this.#directories = directories;
    this.#tree = tree;
    this.#opened = opened;
    this.#phase = pid % LIMITS_EVERY;
    this.#details = startedAtSeconds === undefined ? NO_DETAILS : { startedAtSeconds };
  }

  read(): Measurement {
    const measurement = new Measurement();
    for (const reader of this.#readers) reader.readInto(measurement);
    if (this.#reads === 0 || this.#reads % LIMITS_EVERY === this.#phase) {
      this.note(readLimits(this.#directories));
    }
    this.#reads += 1;
    measurement.details = this.#details;
    return measurement;
  }

  note(details: Details): void {
    this.#details = { ...this.#details, ...details };
  }

  pids(): number[] {
    if (this.#tree !== undefined) return this.#tree.pids();
    const { pids, memory, cpuacct, unified } = this.#directories;
    const directory = pids ?? memory ?? cpuacct ?? unified;
    return directory === undefined ? [] : pidsBelow(directory);
  }

  [Symbol.dispose](): void {
    this.#opened.dispose();
  }
}
