import { readFileSync } from "node:fs";
import { join } from "node:path/posix";
import type { Target } from "../../core/types.ts";
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
import type { Measurement, MeasurementReader } from "./measurement.ts";
import { ProcessTable } from "./process-table.ts";
import { ProcessTreeReader } from "./process-tree.ts";

/** The machine that is read: `/`, the mounted root of a host, or a recorded tree. */
export class Host {
  readonly processes: ProcessTable;
  readonly units: MachineUnits;
  readonly #root: string;
  #mounts: readonly CgroupMount[] | undefined;

  constructor(root = "/") {
    this.#root = root;
    this.processes = new ProcessTable(this.procRoot);
    this.units = readMachineUnits();
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
  cgroupDirectories(target: Target): CgroupDirectories {
    const owner = target.kind === "container" ? containerCgroup(target.replica) : processEngineCgroup;
    const directories = cgroupDirectories(this.#cgroupText(target.pid), this.#cgroupMounts(), owner);
    return Object.fromEntries(
      Object.entries(directories).map(([controller, path]) => [controller, join(this.#root, path)]),
    );
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

/**
 * Opens what a target is best read from: its own cgroup, v1 before v2 where a hybrid host has both; for a process,
 * what its cgroups do not hold comes from its process tree.
 * @throws GoneError when the target has ended, Error when there is nothing of its own to read
 */
export function openReader(target: Target, host: Host): MeasurementReader {
  using readers = new DisposableStack();
  const inOrder: MeasurementReader[] = [];
  const directories = host.cgroupDirectories(target);
  const v1 = readers.use(new CgroupV1Reader(directories));
  inOrder.push(v1);
  let hasCpu = v1.hasCpu;
  let hasMemory = v1.hasMemory;
  if (directories.unified !== undefined && !(hasCpu && hasMemory)) {
    const v2 = readers.use(new CgroupV2Reader(directories.unified));
    inOrder.unshift(v2);
    hasCpu ||= v2.hasCpu;
    hasMemory ||= v2.hasMemory;
  }
  if (target.kind === "process" && !(hasCpu && hasMemory)) {
    inOrder.unshift(
      readers.use(new ProcessTreeReader(target.pid, host.procRoot, host.processes, host.units)),
    );
  } else if (!hasCpu && !hasMemory) {
    throw new Error(`process ${target.pid} is in no readable cgroup of ${target.replica}`);
  }
  const kept = readers.move();
  return {
    read: (): Measurement => Object.assign({}, ...inOrder.map((reader) => reader.read())),
    [Symbol.dispose]: () => kept.dispose(),
  };
}
