import type { Clock } from "../core/clock.ts";
import { messageOf } from "../core/errors.ts";
import type { ReplicaId, Sample, Target } from "../core/types.ts";
import type { Batch, Missed } from "./batch.ts";
import { GoneError } from "./read/kept-file.ts";
import type { MeasurementReader } from "./read/measurement.ts";
import { type CpuReading, cpuCoresBetween } from "./read/rates.ts";
import { type Host, openReader } from "./read/reader.ts";

interface Watched {
  readonly target: Target;
  /** Absent until it could be opened. */
  reader?: MeasurementReader;
  lastCpu?: CpuReading;
}

/**
 * Reads all targets, one after the other and at once. A target that ended is reported missed one time and then
 * forgotten, until a list names it again; one that cannot be read is tried again at each round.
 */
export class Sampler implements Disposable {
  readonly #host: Host;
  readonly #clock: Clock;
  readonly #maxGapMs: number;
  readonly #watched = new Map<ReplicaId, Watched>();

  constructor(host: Host, clock: Clock, maxGapMs: number) {
    this.#host = host;
    this.#clock = clock;
    this.#maxGapMs = maxGapMs;
  }

  /** The whole list. What is still in it, with the same process, goes on being read as before. */
  setTargets(targets: readonly Target[]): void {
    const wanted = new Map(targets.map((target) => [target.replica, target]));
    for (const [replica, watched] of this.#watched) {
      const target = wanted.get(replica);
      if (target?.pid !== watched.target.pid || target.kind !== watched.target.kind) this.#forget(replica);
    }
    for (const [replica, target] of wanted) {
      if (!this.#watched.has(replica)) this.#watched.set(replica, { target });
    }
  }

  sample(tick: number): Batch {
    this.#host.beginRound();
    const readAtMs = this.#clock.nowMs();
    const samples: Sample[] = [];
    const missed: Missed[] = [];
    for (const [replica, watched] of this.#watched) {
      try {
        samples.push(this.#read(watched));
      } catch (error) {
        missed.push({ replica, reason: messageOf(error) });
        if (error instanceof GoneError) this.#forget(replica);
      }
    }
    return { tick, readAtMs, samples, missed };
  }

  [Symbol.dispose](): void {
    for (const replica of [...this.#watched.keys()]) this.#forget(replica);
  }

  #read(watched: Watched): Sample {
    watched.reader ??= openReader(watched.target, this.#host);
    const measurement = watched.reader.read();
    if (Object.keys(measurement).length === 0) throw new Error("none of its files could be read");
    const sample = { replica: watched.target.replica, readAtMs: this.#clock.nowMs(), ...measurement };
    if (measurement.cpuUsageSeconds === undefined) return sample;
    const cpu: CpuReading = {
      cpuUsageSeconds: measurement.cpuUsageSeconds,
      atMonotonicMs: this.#clock.monotonicMs(),
    };
    const cpuCores = cpuCoresBetween(watched.lastCpu, cpu, this.#maxGapMs);
    watched.lastCpu = cpu;
    return cpuCores === undefined ? sample : { ...sample, cpuCores };
  }

  #forget(replica: ReplicaId): void {
    this.#watched.get(replica)?.reader?.[Symbol.dispose]();
    this.#watched.delete(replica);
  }
}
