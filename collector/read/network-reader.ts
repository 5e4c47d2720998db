import { readlinkSync } from "node:fs";
import { join } from "node:path/posix";
import type { KeptFile } from "./kept-file.ts";
import { openIfPresent, pickFrom } from "./kept-numbers.ts";
import type { InterfaceCounters, Measurement, MeasurementReader } from "./measurement.ts";
import { parseNetDev } from "./net-dev.ts";

/**
 * Reads the interfaces of the network namespace that a process was in when this was made, without entering it. The
 * open file keeps the namespace alive after its last process: it is to be closed as soon as the cgroup is gone.
 */
export class NetworkReader implements MeasurementReader {
  readonly #file: KeptFile | undefined;
  #interfaces: readonly InterfaceCounters[] = [];

  constructor(procRoot: string, pid: number) {
    this.#file = openIfPresent(join(procRoot, String(pid), "net/dev"));
  }

  readInto(into: Measurement): void {
    this.#interfaces = pickFrom(this.#file, (content) => parseNetDev(content, this.#interfaces)) ?? [];
    into.interfaces = this.#interfaces;
  }

  [Symbol.dispose](): void {
    this.#file?.[Symbol.dispose]();
  }
}

/** The process shares the machine's own network: what it counts is everybody's. */
export function isOnHostNetwork(procRoot: string, pid: number): boolean {
  try {
    const namespaceOf = (name: string) => readlinkSync(join(procRoot, name, "ns/net"));
    return namespaceOf(String(pid)) === namespaceOf("1");
  } catch {
    return false;
  }
}
