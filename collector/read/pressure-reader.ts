import { join } from "node:path/posix";
import type { KeptFile } from "./kept-file.ts";
import { openIfPresent, pickFrom } from "./kept-numbers.ts";
import type { Measurement, MeasurementReader } from "./measurement.ts";
import { parsePressure } from "./pressure.ts";

/** Reads how long tasks waited: of a cgroup in the unified hierarchy, also where its controllers are on v1. */
export class PressureReader implements MeasurementReader {
  readonly #files: DisposableStack;
  readonly #cpu: KeptFile | undefined;
  readonly #memory: KeptFile | undefined;
  readonly #io: KeptFile | undefined;

  constructor(directory: string) {
    using files = new DisposableStack();
    const open = (name: string): KeptFile | undefined => files.use(openIfPresent(join(directory, name)));
    this.#cpu = open("cpu.pressure");
    this.#memory = open("memory.pressure");
    this.#io = open("io.pressure");
    this.#files = files.move();
  }

  readInto(into: Measurement): void {
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
