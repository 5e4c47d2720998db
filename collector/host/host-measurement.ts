import type { InterfaceCounters, Measurement } from "../read/measurement.ts";

/** What is found of the machine at one instant. What could not be read is undefined, or an empty list. */
export interface HostMeasurement {
  readonly atMs: number;
  /** The machine in the words of a container, for `id="/"`. */
  readonly root: Measurement;
  readonly cpus: readonly CpuTimes[];
  readonly bootedAtSeconds: number | undefined;
  readonly contextSwitches: number | undefined;
  readonly forks: number | undefined;
  readonly runningTasks: number | undefined;
  readonly blockedTasks: number | undefined;
  readonly loads: readonly [one: number, five: number, fifteen: number] | undefined;
  /** By the kernel's names, in bytes where it counts in kB. */
  readonly memory: ReadonlyMap<string, number>;
  /** By the kernel's names. */
  readonly vmstat: ReadonlyMap<string, number>;
  readonly disks: readonly DiskCounters[];
  readonly interfaces: readonly InterfaceCounters[];
  readonly filesystems: readonly HostFilesystem[];
  readonly pressure: HostPressure;
}

/** Seconds that one CPU spent in each mode. */
export interface CpuTimes {
  readonly cpu: string;
  readonly user: number;
  readonly nice: number;
  readonly system: number;
  readonly idle: number;
  readonly iowait: number;
  readonly irq: number;
  readonly softirq: number;
  readonly steal: number;
}

/** Counters of one block device; times in seconds. */
export interface DiskCounters {
  readonly device: string;
  readonly readsCompleted: number;
  readonly readsMerged: number;
  readonly readBytes: number;
  readonly readSeconds: number;
  readonly writesCompleted: number;
  readonly writesMerged: number;
  readonly writtenBytes: number;
  readonly writeSeconds: number;
  readonly inProgress: number;
  readonly busySeconds: number;
  readonly weightedSeconds: number;
}

export interface HostFilesystem {
  readonly device: string;
  readonly mountPoint: string;
  readonly type: string;
  readonly isReadOnly: boolean;
  readonly sizeBytes: number;
  readonly freeBytes: number;
  /** For who is not root. */
  readonly availableBytes: number;
  readonly inodes: number;
  readonly freeInodes: number;
}

/** Seconds in which some, or all, tasks waited. */
export interface HostPressure {
  readonly cpuWaiting: number | undefined;
  readonly memoryWaiting: number | undefined;
  readonly memoryStalled: number | undefined;
  readonly ioWaiting: number | undefined;
  readonly ioStalled: number | undefined;
}
