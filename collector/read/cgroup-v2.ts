import { join } from "node:path/posix";
import type { KeptFile } from "./kept-file.ts";
import { numberFrom, openIfPresent } from "./kept-numbers.ts";
import { keyBytes, numberOfKey, unsignedAt } from "./kernel-text.ts";
import { type Measurement, type MeasurementReader, measurementOf, workingSetBytes } from "./measurement.ts";

const USAGE = keyBytes("usage_usec");
/** Only where the cpu controller is enabled. */
const THROTTLED = keyBytes("throttled_usec");
const INACTIVE_FILE = keyBytes("inactive_file");
const MICROSECONDS_PER_SECOND = 1e6;

/** Reads one cgroup of the unified hierarchy. */
export class CgroupV2Reader implements MeasurementReader {
  readonly #files: DisposableStack;
  readonly #cpuStat: KeptFile | undefined;
  readonly #memoryCurrent: KeptFile | undefined;
  readonly #memoryStat: KeptFile | undefined;

  constructor(directory: string) {
    using files = new DisposableStack();
    const open = (file: string): KeptFile | undefined => files.use(openIfPresent(join(directory, file)));
    this.#cpuStat = open("cpu.stat");
    this.#memoryCurrent = open("memory.current");
    this.#memoryStat = open("memory.stat");
    this.#files = files.move();
  }

  get hasCpu(): boolean {
    return this.#cpuStat !== undefined;
  }

  get hasMemory(): boolean {
    return this.#memoryCurrent !== undefined;
  }

  read(): Measurement {
    let throttledUs: number | undefined;
    const usageUs = numberFrom(this.#cpuStat, ({ bytes, length }) => {
      throttledUs = numberOfKey(bytes, length, THROTTLED);
      return numberOfKey(bytes, length, USAGE);
    });
    const memoryUsageBytes = numberFrom(this.#memoryCurrent, ({ bytes, length }) =>
      unsignedAt(bytes, 0, length),
    );
    const inactiveFileBytes = numberFrom(this.#memoryStat, ({ bytes, length }) =>
      numberOfKey(bytes, length, INACTIVE_FILE),
    );
    return measurementOf({
      cpuUsageSeconds: usageUs === undefined ? undefined : usageUs / MICROSECONDS_PER_SECOND,
      cpuThrottledSeconds: throttledUs === undefined ? undefined : throttledUs / MICROSECONDS_PER_SECOND,
      memoryUsageBytes,
      memoryWorkingSetBytes: workingSetBytes(memoryUsageBytes, inactiveFileBytes),
    });
  }

  [Symbol.dispose](): void {
    this.#files.dispose();
  }
}
