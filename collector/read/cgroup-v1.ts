import { join } from "node:path/posix";
import type { CgroupDirectories } from "./cgroup-paths.ts";
import type { KeptFile } from "./kept-file.ts";
import { numberFrom, openIfPresent } from "./kept-numbers.ts";
import { keyBytes, numberOfKey, unsignedAt } from "./kernel-text.ts";
import { type Measurement, type MeasurementReader, measurementOf, workingSetBytes } from "./measurement.ts";

const THROTTLED_TIME = keyBytes("throttled_time");
/** With the cgroups below: an init system inside a container makes such. */
const TOTAL_INACTIVE_FILE = keyBytes("total_inactive_file");
const NANOSECONDS_PER_SECOND = 1e9;

/** Reads the version 1 hierarchies of one cgroup; each controller is one of its own. */
export class CgroupV1Reader implements MeasurementReader {
  readonly #files: DisposableStack;
  readonly #cpuUsage: KeptFile | undefined;
  readonly #cpuStat: KeptFile | undefined;
  readonly #memoryUsage: KeptFile | undefined;
  readonly #memoryStat: KeptFile | undefined;

  constructor(directories: CgroupDirectories) {
    using files = new DisposableStack();
    const open = (directory: string | undefined, file: string): KeptFile | undefined =>
      directory === undefined ? undefined : files.use(openIfPresent(join(directory, file)));
    this.#cpuUsage = open(directories.cpuacct, "cpuacct.usage");
    this.#cpuStat = open(directories.cpu, "cpu.stat");
    this.#memoryUsage = open(directories.memory, "memory.usage_in_bytes");
    this.#memoryStat = open(directories.memory, "memory.stat");
    this.#files = files.move();
  }

  get hasCpu(): boolean {
    return this.#cpuUsage !== undefined;
  }

  get hasMemory(): boolean {
    return this.#memoryUsage !== undefined;
  }

  read(): Measurement {
    const usageNs = numberFrom(this.#cpuUsage, ({ bytes, length }) => unsignedAt(bytes, 0, length));
    const throttledNs = numberFrom(this.#cpuStat, ({ bytes, length }) =>
      numberOfKey(bytes, length, THROTTLED_TIME),
    );
    const memoryUsageBytes = numberFrom(this.#memoryUsage, ({ bytes, length }) =>
      unsignedAt(bytes, 0, length),
    );
    const inactiveFileBytes = numberFrom(this.#memoryStat, ({ bytes, length }) =>
      numberOfKey(bytes, length, TOTAL_INACTIVE_FILE),
    );
    return measurementOf({
      cpuUsageSeconds: usageNs === undefined ? undefined : usageNs / NANOSECONDS_PER_SECOND,
      cpuThrottledSeconds: throttledNs === undefined ? undefined : throttledNs / NANOSECONDS_PER_SECOND,
      memoryUsageBytes,
      memoryWorkingSetBytes: workingSetBytes(memoryUsageBytes, inactiveFileBytes),
    });
  }

  [Symbol.dispose](): void {
    this.#files.dispose();
  }
}
