/**
 * What is found of one container or process at one instant. A value that could not be read is undefined, never 0.
 * Every field stands here from the start: objects of one shape are what makes a thousand of them a second cheap.
 */
export class Measurement {
  /** When somebody else found it, on the clock that never goes back; undefined: just now. */
  takenAtMonotonicMs: number | undefined = undefined;

  /** Counters: seconds of CPU time. */
  cpuUsageSeconds: number | undefined = undefined;
  cpuUserSeconds: number | undefined = undefined;
  cpuSystemSeconds: number | undefined = undefined;
  /** Counters: enforcement periods of the CPU limit, those that were cut short, and seconds held back in them. */
  cpuPeriods: number | undefined = undefined;
  cpuThrottledPeriods: number | undefined = undefined;
  cpuThrottledSeconds: number | undefined = undefined;

  memoryUsageBytes: number | undefined = undefined;
  /** Usage without the file cache that the kernel would give up first. */
  memoryWorkingSetBytes: number | undefined = undefined;
  /** The most that was ever in use. */
  memoryMaxUsageBytes: number | undefined = undefined;
  memoryRssBytes: number | undefined = undefined;
  memoryCacheBytes: number | undefined = undefined;
  memorySwapBytes: number | undefined = undefined;
  memoryMappedFileBytes: number | undefined = undefined;
  memoryActiveFileBytes: number | undefined = undefined;
  memoryInactiveFileBytes: number | undefined = undefined;
  memoryDirtyBytes: number | undefined = undefined;
  memoryWritebackBytes: number | undefined = undefined;
  /** Counter: how often the usage hit its limit. */
  memoryLimitHits: number | undefined = undefined;
  /** Counter: processes that the kernel killed for want of memory. */
  oomKills: number | undefined = undefined;
  /** Counters; those of the cgroup itself, and with the cgroups below it. */
  pageFaults: number | undefined = undefined;
  majorPageFaults: number | undefined = undefined;
  pageFaultsBelow: number | undefined = undefined;
  majorPageFaultsBelow: number | undefined = undefined;
  /** Counters: pages that had been given up and were needed again. */
  refaultedAnonPages: number | undefined = undefined;
  refaultedFilePages: number | undefined = undefined;

  threads: number | undefined = undefined;

  /** Counters: seconds in which some, or all, of the tasks waited for a resource. */
  cpuWaitingSeconds: number | undefined = undefined;
  cpuStalledSeconds: number | undefined = undefined;
  memoryWaitingSeconds: number | undefined = undefined;
  memoryStalledSeconds: number | undefined = undefined;
  ioWaitingSeconds: number | undefined = undefined;
  ioStalledSeconds: number | undefined = undefined;

  /** Empty when it has no network of its own. */
  interfaces: readonly InterfaceCounters[] = [];
  /** Empty when the kernel counted nothing, which may mean that it does not count. */
  devices: readonly DeviceCounters[] = [];

  /** What is looked at seldom; each is as old as the last look. */
  details: Details = NO_DETAILS;

  /** Takes over from an earlier one what only the tasks of a cgroup move, when none of them ran since. */
  keep(from: Measurement): void {
    this.cpuUserSeconds = from.cpuUserSeconds;
    this.cpuSystemSeconds = from.cpuSystemSeconds;
    this.cpuPeriods = from.cpuPeriods;
    this.cpuThrottledPeriods = from.cpuThrottledPeriods;
    this.cpuThrottledSeconds = from.cpuThrottledSeconds;
    this.memoryWorkingSetBytes = from.memoryWorkingSetBytes;
    this.memoryRssBytes = from.memoryRssBytes;
    this.memoryCacheBytes = from.memoryCacheBytes;
    this.memorySwapBytes = from.memorySwapBytes;
    this.memoryMappedFileBytes = from.memoryMappedFileBytes;
    this.memoryActiveFileBytes = from.memoryActiveFileBytes;
    this.memoryInactiveFileBytes = from.memoryInactiveFileBytes;
    this.memoryDirtyBytes = from.memoryDirtyBytes;
    this.memoryWritebackBytes = from.memoryWritebackBytes;
    this.pageFaults = from.pageFaults;
    this.majorPageFaults = from.majorPageFaults;
    this.pageFaultsBelow = from.pageFaultsBelow;
    this.majorPageFaultsBelow = from.majorPageFaultsBelow;
    this.refaultedAnonPages = from.refaultedAnonPages;
    this.refaultedFilePages = from.refaultedFilePages;
    this.threads = from.threads;
    this.devices = from.devices;
  }
}

/** Counters of one network interface, seen from inside. */
export interface InterfaceCounters {
  readonly name: string;
  readonly receiveBytes: number;
  readonly receivePackets: number;
  readonly receiveErrors: number;
  readonly receiveDropped: number;
  readonly transmitBytes: number;
  readonly transmitPackets: number;
  readonly transmitErrors: number;
  readonly transmitDropped: number;
}

/** Counters of what went to and from one block device. */
export interface DeviceCounters {
  /** `/dev/vda`, or `254:0` where the device has no name. */
  readonly name: string;
  readonly readBytes: number | undefined;
  readonly writeBytes: number | undefined;
  readonly reads: number | undefined;
  readonly writes: number | undefined;
}

/** What changes seldom or is dear to find out. */
export interface Details {
  readonly startedAtSeconds?: number;
  /** Infinity: the kernel says that there is no limit. */
  readonly memoryLimitBytes?: number;
  readonly memoryReservationBytes?: number;
  /** Of memory and swap together. */
  readonly memorySwapLimitBytes?: number;
  /** Infinity: no quota. */
  readonly cpuQuotaMicroseconds?: number;
  readonly cpuPeriodMicroseconds?: number;
  readonly cpuShares?: number;
  readonly threadsMax?: number;
  readonly processes?: number;
  readonly openFiles?: number;
  readonly sockets?: number;
  readonly openFilesLimit?: number;
  /** Threads by what they do. */
  readonly tasks?: TaskStates;
  /** Running threads, smoothed over the last moments. */
  readonly runningThreads?: number;
  readonly filesystems?: readonly FilesystemUse[];
  readonly volumes?: readonly VolumeUse[];
}

export interface TaskStates {
  readonly running: number;
  readonly sleeping: number;
  readonly stopped: number;
  readonly uninterruptible: number;
}

/** What a writable layer takes of the filesystem that it is on. */
export interface FilesystemUse {
  readonly device: string;
  readonly usageBytes: number | undefined;
  /** Of the whole filesystem. */
  readonly sizeBytes: number | undefined;
  readonly inodes: number | undefined;
  readonly freeInodes: number | undefined;
}

export interface VolumeUse {
  readonly volume: string;
  /** Where it is in the container. */
  readonly target: string;
  readonly usageBytes: number;
}

export const NO_DETAILS: Details = {};

/** Reads one replica again and again; holds descriptors until it is disposed of. */
export interface MeasurementReader extends Disposable {
  /** Sets what it finds. @throws GoneError when what it reads has ended */
  readInto(measurement: Measurement): void;
}

/** Usage without the file cache that the kernel would give up first. */
export function workingSetBytes(
  usageBytes: number | undefined,
  inactiveFileBytes: number | undefined,
): number | undefined {
  if (usageBytes === undefined || inactiveFileBytes === undefined) return undefined;
  return Math.max(0, usageBytes - inactiveFileBytes);
}
