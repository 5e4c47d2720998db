import { join } from "node:path/posix";
import type { BlockDevices } from "./block-devices.ts";
import { parseIoStat } from "./block-io.ts";
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

const MICROSECONDS_PER_SECOND = 1e6;

/** The last three only where the cpu controller is enabled. */
const cpu = new KeyedNumbers([
  "usage_usec",
  "user_usec",
  "system_usec",
  "nr_periods",
  "nr_throttled",
  "throttled_usec",
]);
const memory = new KeyedNumbers([
  "inactive_file",
  "file",
  "anon",
  "file_mapped",
  "active_file",
  "file_dirty",
  "file_writeback",
  "pgfault",
  "pgmajfault",
  "workingset_refault_anon",
  "workingset_refault_file",
]);

/** Reads one cgroup of the unified hierarchy; its numbers are with the cgroups below. */
export class CgroupV2Reader implements MeasurementReader {
  readonly #files: DisposableStack;
  readonly #blockDevices: BlockDevices;
  readonly #cpuStat: KeptFile | undefined;
  readonly #memoryCurrent: KeptFile | undefined;
  readonly #memoryStat: KeptFile | undefined;
  readonly #swap: KeptFile | undefined;
  readonly #ioStat: KeptFile | undefined;
  readonly #threads: KeptFile | undefined;
  readonly #stillness = new Stillness();
  #last: Measurement | undefined;

  constructor(directory: string, blockDevices: BlockDevices) {
    this.#blockDevices = blockDevices;
    using files = new DisposableStack();
    const open = (file: string): KeptFile | undefined => files.use(openIfPresent(join(directory, file)));
    this.#cpuStat = open("cpu.stat");
    this.#memoryCurrent = open("memory.current");
    this.#memoryStat = open("memory.stat");
    this.#swap = open("memory.swap.current");
    this.#ioStat = open("io.stat");
    this.#threads = open("pids.current");
    this.#files = files.move();
  }

  get hasCpu(): boolean {
    return this.#cpuStat !== undefined;
  }

  get hasMemory(): boolean {
    return this.#memoryCurrent !== undefined;
  }

  readInto(into: Measurement): void {
    pickFrom(this.#cpuStat, ({ bytes, length }) => {
      cpu.parse(bytes, length);
      into.cpuUsageSeconds = seconds(cpu.get(0));
      into.cpuUserSeconds = seconds(cpu.get(1));
      into.cpuSystemSeconds = seconds(cpu.get(2));
      into.cpuPeriods = cpu.get(3);
      into.cpuThrottledPeriods = cpu.get(4);
      into.cpuThrottledSeconds = seconds(cpu.get(5));
    });
    const usage = pickFrom(this.#memoryCurrent, wholeNumber);
    into.memoryUsageBytes = usage;
    if (this.#stillness.holds(into.cpuUsageSeconds, usage) && this.#last !== undefined) into.keep(this.#last);
    else this.#readWhatMoved(into, usage);
    // What a task wrote reaches the device later, by the kernel's own tasks.
    into.devices = this.#readDevices();
    this.#last = into;
  }

  #readWhatMoved(into: Measurement, usage: number | undefined): void {
    pickFrom(this.#memoryStat, ({ bytes, length }) => {
      memory.parse(bytes, length);
      into.memoryWorkingSetBytes = workingSetBytes(usage, memory.get(0));
      into.memoryInactiveFileBytes = memory.get(0);
      into.memoryCacheBytes = memory.get(1);
      into.memoryRssBytes = memory.get(2);
      into.memoryMappedFileBytes = memory.get(3);
      into.memoryActiveFileBytes = memory.get(4);
      into.memoryDirtyBytes = memory.get(5);
      into.memoryWritebackBytes = memory.get(6);
      into.pageFaultsBelow = memory.get(7);
      into.majorPageFaultsBelow = memory.get(8);
      into.refaultedAnonPages = memory.get(9);
      into.refaultedFilePages = memory.get(10);
    });
    into.memorySwapBytes = pickFrom(this.#swap, wholeNumber);
    into.threads = pickFrom(this.#threads, wholeNumber);
  }

  #readDevices(): DeviceCounters[] {
    const devices = pickFrom(this.#ioStat, parseIoStat) ?? [];
    return devices.map(({ device, ...counters }) => ({
      name: this.#blockDevices.nameOf(device),
      ...counters,
    }));
  }

  [Symbol.dispose](): void {
    this.#files.dispose();
  }
}

function seconds(microseconds: number | undefined): number | undefined {
  return microseconds === undefined ? undefined : microseconds / MICROSECONDS_PER_SECOND;
}
