import { join } from "node:path/posix";
import type { KeptFile } from "./kept-file.ts";
import { openIfPresent, pickFrom } from "./kept-numbers.ts";
import type { Measurement, MeasurementReader } from "./measurement.ts";
import { parsePressure } from "./pressure.ts";
import { Stillness } from "./stillness.ts";

/** Reads how long tasks waited: of a cgroup in the unified hierarchy, also where its controllers are on v1. */
export class PressureReader implements MeasurementReader {
  readonly #files: DisposableStack;
  readonly #cpu: KeptFile | undefined;
  readonly #memory: KeptFile | undefined;
  readonly #io: KeptFile | undefined;
  readonly #stillness = new Stillness();
  #last: Measurement | undefined;
  /** The last two readings found the same: no task was waiting. */
  #stoodStill = false;

  constructor(directory: string) {
    using files = new DisposableStack();
    const open = (name: string): KeptFile | undefined => files.use(openIfPresent(join(directory, name)));
    this.#cpu = open("cpu.pressure");
    this.#memory = open("memory.pressure");
    this.#io = open("io.pressure");
    this.#files = files.move();
  }

  /** To be asked after whoever finds the CPU time: a task begins to wait for memory or a device only where it ran. */
  readInto(into: Measurement): void {
    const last = this.#last;
    this.#last = into;
    const isStill = this.#stillness.holds(into.cpuUsageSeconds, into.memoryUsageBytes);
    if (isStill && this.#stoodStill && last !== undefined) {
      keepWaiting(last, into);
      return;
    }
    this.#read(into);
    this.#stoodStill = last !== undefined && isSameWaiting(last, into);
  }

  #read(into: Measurement): void {
    const cpu = pickFrom(this.#cpu, parsePressure);
    into.cpuWaitingSeconds = cpu?.waiting;
    into.cpuStalledSeconds = cpu?.stalled;
    const memory = pickFrom(this.#memory, parsePressure);
    into.memoryWaitingSeconds = memory?.waiting;
    into.memoryStalledSeconds = memory?.stalled;
    const io = pickFrom(this.#io, parsePressure);
    into.ioWaitingSeconds = io?.waiting;
    into.ioStalledSeconds = io?.stalled;
  }

  [Symbol.dispose](): void {
    this.#files.dispose();
  }
}

function keepWaiting(from: Measurement, into: Measurement): void {
  into.cpuWaitingSeconds = from.cpuWaitingSeconds;
  into.cpuStalledSeconds = from.cpuStalledSeconds;
  into.memoryWaitingSeconds = from.memoryWaitingSeconds;
  into.memoryStalledSeconds = from.memoryStalledSeconds;
  into.ioWaitingSeconds = from.ioWaitingSeconds;
  into.ioStalledSeconds = from.ioStalledSeconds;
}

/** All tasks wait only while some do. */
function isSameWaiting(a: Measurement, b: Measurement): boolean {
  return (
    a.cpuWaitingSeconds === b.cpuWaitingSeconds &&
    a.memoryWaitingSeconds === b.memoryWaitingSeconds &&
    a.ioWaitingSeconds === b.ioWaitingSeconds
  );
}
