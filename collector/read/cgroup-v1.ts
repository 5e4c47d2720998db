import { join } from "node:path/posix";
import type { BlockDevices } from "./block-devices.ts";
import { type DeviceNumbers, parseBlkio } from "./block-io.ts";
import type { CgroupDirectories } from "./cgroup-paths.ts";
import type { KeptFile } from "./kept-file.ts";
import { openIfPresent, pickFrom, wholeNumber } from "./kept-numbers.ts";
import { KeyedNumbers } from "./keyed-numbers.ts";
import {
  type DeviceCounters,
  type Measurement,
  type MeasurementReader,
  workingSetBytes,
} from "./measurement.ts";
import { Stillness } from "./stillness.ts";

const NANOSECONDS_PER_SECOND = 1e9;

const cpuTimes = new KeyedNumbers(["user", "system"]);
const throttling = new KeyedNumbers(["nr_periods", "nr_throttled", "throttled_time"]);
/** `total_…` is with the cgroups below: an init system inside a container makes such. */
const memory = new KeyedNumbers([
  "total_inactive_file",
  "total_cache",
  "total_rss",
  "total_swap",
  "total_mapped_file",
  "total_active_file",
  "total_dirty",
  "total_writeback",
  "pgfault",
  "pgmajfault",
  "total_pgfault",
  "total_pgmajfault",
  "total_workingset_refault_anon",
  "total_workingset_refault_file",
]);

/** Reads the version 1 hierarchies of one cgroup; each controller is one of its own. */
export class CgroupV1Reader implements MeasurementReader {
  readonly #files: DisposableStack;
  readonly #blockDevices: BlockDevices;
  readonly #ticksPerSecond: number;
  readonly #cpuUsage: KeptFile | undefined;
  readonly #cpuTimes: KeptFile | undefined;
  readonly #cpuStat: KeptFile | undefined;
  readonly #memoryUsage: KeptFile | undefined;
  readonly #memoryStat: KeptFile | undefined;
  readonly #blockBytes: KeptFile | undefined;
  readonly #blockOperations: KeptFile | undefined;
  readonly #threads: KeptFile | undefined;
  readonly #stillness = new Stillness();
  #last: Measurement | undefined;

  constructor(directories: CgroupDirectories, ticksPerSecond: number, blockDevices: BlockDevices) {
    this.#ticksPerSecond = ticksPerSecond;
    this.#blockDevices = blockDevices;
    using files = new DisposableStack();
    const open = (directory: string | undefined, file: string): KeptFile | undefined =>
      directory === undefined ? undefined : files.use(openIfPresent(join(directory, file)));
    this.#cpuUsage = open(directories.cpuacct, "cpuacct.usage");
    this.#cpuTimes = open(directories.cpuacct, "cpuacct.stat");
    this.#cpuStat = open(directories.cpu, "cpu.stat");
    this.#memoryUsage = open(directories.memory, "memory.usage_in_bytes");
    this.#memoryStat = open(directories.memory, "memory.stat");
    this.#blockBytes = open(directories.blkio, "blkio.throttle.io_service_bytes");
    this.#blockOperations = open(directories.blkio, "blkio.throttle.io_serviced");
    this.#threads = open(directories.pids, "pids.current");
    this.#files = files.move();
  }

  get hasCpu(): boolean {
    return this.#cpuUsage !== undefined;
  }

  get hasMemory(): boolean {
    return this.#memoryUsage !== undefined;
  }

  readInto(into: Measurement): void {
    const usageNs = pickFrom(this.#cpuUsage, wholeNumber);
    if (usageNs !== undefined) into.cpuUsageSeconds = usageNs / NANOSECONDS_PER_SECOND;
    const usage = pickFrom(this.#memoryUsage, wholeNumber);
    if (usage !== undefined) into.memoryUsageBytes = usage;
    if (this.#stillness.holds(usageNs, usage) && this.#last !== undefined) into.keep(this.#last);
    else this.#readWhatMoved(into, usage);
    this.#last = into;
  }

  #readWhatMoved(into: Measurement, usage: number | undefined): void {
    pickFrom(this.#cpuTimes, ({ bytes, length }) => {
      cpuTimes.parse(bytes, length);
      into.cpuUserSeconds = divided(cpuTimes.get(0), this.#ticksPerSecond);
      into.cpuSystemSeconds = divided(cpuTimes.get(1), this.#ticksPerSecond);
    });
    pickFrom(this.#cpuStat, ({ bytes, length }) => {
      throttling.parse(bytes, length);
      into.cpuPeriods = throttling.get(0);
      into.cpuThrottledPeriods = throttling.get(1);
      into.cpuThrottledSeconds = divided(throttling.get(2), NANOSECONDS_PER_SECOND);
    });
    this.#readMemory(into, usage);
    into.threads = pickFrom(this.#threads, wholeNumber) ?? into.threads;
    const bytes = pickFrom(this.#blockBytes, parseBlkio) ?? [];
    const operations = pickFrom(this.#blockOperations, parseBlkio) ?? [];
    if (bytes.length > 0 || operations.length > 0) into.devices = this.#join(bytes, operations);
  }

  #readMemory(into: Measurement, usage: number | undefined): void {
    pickFrom(this.#memoryStat, ({ bytes, length }) => {
      memory.parse(bytes, length);
      into.memoryWorkingSetBytes = workingSetBytes(usage, memory.get(0));
      into.memoryInactiveFileBytes = memory.get(0);
      into.memoryCacheBytes = memory.get(1);
      into.memoryRssBytes = memory.get(2);
      into.memorySwapBytes = memory.get(3);
      into.memoryMappedFileBytes = memory.get(4);
      into.memoryActiveFileBytes = memory.get(5);
      into.memoryDirtyBytes = memory.get(6);
      into.memoryWritebackBytes = memory.get(7);
      into.pageFaults = memory.get(8);
      into.majorPageFaults = memory.get(9);
      into.pageFaultsBelow = memory.get(10);
      into.majorPageFaultsBelow = memory.get(11);
      into.refaultedAnonPages = memory.get(12);
      into.refaultedFilePages = memory.get(13);
    });
  }

  /** The two files name the same devices, but a device may come between the two readings. */
  #join(bytes: readonly DeviceNumbers[], operations: readonly DeviceNumbers[]): DeviceCounters[] {
    const names = new Set([...bytes, ...operations].map(({ device }) => device));
    return Array.from(names, (device) => {
      const transferred = bytes.find((entry) => entry.device === device);
      const counted = operations.find((entry) => entry.device === device);
      return {
        name: this.#blockDevices.nameOf(device),
        readBytes: transferred?.read,
        writeBytes: transferred?.write,
        reads: counted?.read,
        writes: counted?.write,
      };
    });
  }

  [Symbol.dispose](): void {
    this.#files.dispose();
  }
}

function divided(value: number | undefined, by: number): number | undefined {
  return value === undefined ? undefined : value / by;
}
