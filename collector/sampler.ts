import type { Clock } from "../core/clock.ts";
import { messageOf } from "../core/errors.ts";
import type { ReplicaId, Sample, Target } from "../core/types.ts";
import type { Traffic } from "./apps/traffic.ts";
import type { Batch, Missed } from "./batch.ts";
import { type HeldBackReading, heldBackRatioBetween, heldBackReadingOf } from "./read/held-back.ts";
import { GoneError } from "./read/kept-file.ts";
import type { Details, Measurement } from "./read/measurement.ts";
import { type CpuReading, cpuCoresBetween } from "./read/rates.ts";
import { type Host, openReader, type Readable, type Reader } from "./read/reader.ts";
import { Slices } from "./slices.ts";

export interface SamplerOptions {
  readonly host: Host;
  readonly clock: Clock;
  /** Rates over a longer time say nothing about now. */
  readonly maxGapMs: number;
  /** Says what each is read from; by default the files of the host. */
  readonly open?: (readable: Readable) => Reader;
  /** What is known of a replica's requests. */
  readonly traffic?: (replica: ReplicaId) => Traffic | undefined;
}

interface Watched {
  readonly readable: Readable;
  /** Absent until it could be opened. */
  reader?: Reader;
  lastCpu?: CpuReading;
  lastHeldBack?: HeldBackReading;
}

/**
 * Reads all targets, one after the other. A target that ended is reported missed one time and then forgotten, until a
 * list names it again; one that cannot be read is tried again at each round.
 */
export class Sampler implements Disposable {
  readonly #host: Host;
  readonly #clock: Clock;
  readonly #maxGapMs: number;
  readonly #open: (readable: Readable) => Reader;
  readonly #traffic: (replica: ReplicaId) => Traffic | undefined;
  readonly #watched = new Map<ReplicaId, Watched>();
  #measurements: ReadonlyMap<ReplicaId, Measurement> = new Map();

  constructor(options: SamplerOptions) {
    const { host, clock, maxGapMs, open, traffic } = options;
    this.#host = host;
    this.#clock = clock;
    this.#maxGapMs = maxGapMs;
    this.#open = open ?? ((readable) => openReader(readable, host));
    this.#traffic = traffic ?? (() => undefined);
  }

  /** All that the last round could read. */
  get measurements(): ReadonlyMap<ReplicaId, Measurement> {
    return this.#measurements;
  }

  setTargets(targets: readonly Target[]): void {
    this.setContainers(targets.map(({ replica, kind, pid }) => ({ id: replica, kind, pid })));
  }

  /** The whole list. What is still in it, with the same process, goes on being read as before. */
  setContainers(readables: readonly Readable[]): void {
    const wanted = new Map(readables.map((readable) => [readable.id, readable]));
    for (const [id, { readable }] of this.#watched) {
      const now = wanted.get(id);
      if (now?.pid !== readable.pid || now.kind !== readable.kind) this.#forget(id);
    }
    for (const [id, readable] of wanted) {
      if (!this.#watched.has(id)) this.#watched.set(id, { readable });
    }
  }

  /** Reads all at once. */
  sample(tick: number): Batch {
    const round = this.#round(tick);
    for (;;) {
      const { done, value } = round.next();
      if (done) return value;
    }
  }

  /** Reads all in slices, and lets what waits have its turn between them. Two rounds at once are not foreseen. */
  async sampleInSlices(tick: number): Promise<Batch> {
    const round = this.#round(tick);
    const slices = new Slices(() => this.#clock.monotonicMs());
    for (;;) {
      const { done, value } = round.next();
      if (done) return value;
      if (slices.isOver) await slices.next();
    }
  }

  /**
   * Reads what was never read yet, so that it is known before the next round: what lives briefly may not see that one.
   * Rates begin with the round all the same: over a moment they would be chance.
   */
  readNew(): void {
    const added = new Map<ReplicaId, Measurement>();
    for (const [replica, watched] of this.#watched) {
      if (watched.reader !== undefined) continue;
      try {
        watched.reader = this.#open(watched.readable);
        added.set(replica, watched.reader.read());
      } catch {
        // The next round reads it again, and says why it cannot.
      }
    }
    if (added.size > 0) this.#measurements = new Map([...this.#measurements, ...added]);
  }

  /** Those that are read now. */
  get replicas(): Iterable<ReplicaId> {
    return this.#watched.keys();
  }

  /** The processes of one that is read; empty when it is not. Dear. */
  pidsOf(replica: ReplicaId): number[] {
    return this.#watched.get(replica)?.reader?.pids() ?? [];
  }

  /** Adds what was found out of a replica elsewhere to its measurements from now on. */
  note(replica: ReplicaId, details: Details): void {
    this.#watched.get(replica)?.reader?.note(details);
  }

  [Symbol.dispose](): void {
    for (const replica of [...this.#watched.keys()]) this.#forget(replica);
  }

  *#round(tick: number): Generator<void, Batch> {
    this.#host.beginRound();
    const readAtMs = this.#clock.nowMs();
    const samples: Sample[] = [];
    const missed: Missed[] = [];
    const measurements = new Map<ReplicaId, Measurement>();
    for (const [replica, watched] of this.#watched) {
      try {
        watched.reader ??= this.#open(watched.readable);
        const measurement = watched.reader.read();
        samples.push(this.#sampleOf(watched, measurement));
        measurements.set(replica, measurement);
      } catch (error) {
        missed.push({ replica, reason: messageOf(error) });
        if (error instanceof GoneError) this.#forget(replica);
      }
      yield;
    }
    this.#measurements = measurements;
    return { tick, readAtMs, samples, missed };
  }

  /** What travels to the daemon of what was read. */
  #sampleOf(watched: Watched, measurement: Measurement): Sample {
    const { cpuUsageSeconds, cpuThrottledSeconds, memoryUsageBytes, memoryWorkingSetBytes } = measurement;
    if (cpuUsageSeconds === undefined && memoryUsageBytes === undefined) {
      throw new Error("none of its files could be read");
    }
    const takenAtMs = measurement.takenAtMonotonicMs ?? this.#clock.monotonicMs();
    const cpuCores = this.#cpuCores(watched, cpuUsageSeconds, takenAtMs);
    const cpuHeldBackRatio = this.#cpuHeldBackRatio(watched, heldBackReadingOf(measurement, takenAtMs));
    const sample: { -readonly [Key in keyof Sample]: Sample[Key] } = {
      replica: watched.readable.id,
      readAtMs: this.#clock.nowMs(),
    };
    if (cpuUsageSeconds !== undefined) sample.cpuUsageSeconds = cpuUsageSeconds;
    if (cpuCores !== undefined) sample.cpuCores = cpuCores;
    if (cpuThrottledSeconds !== undefined) sample.cpuThrottledSeconds = cpuThrottledSeconds;
    if (cpuHeldBackRatio !== undefined) sample.cpuHeldBackRatio = cpuHeldBackRatio;
    if (memoryUsageBytes !== undefined) sample.memoryUsageBytes = memoryUsageBytes;
    if (memoryWorkingSetBytes !== undefined) sample.memoryWorkingSetBytes = memoryWorkingSetBytes;
    const traffic = this.#traffic(sample.replica);
    if (traffic !== undefined) sample.requestsPerSecond = traffic.requestsPerSecond;
    if (traffic?.latencyMs !== undefined) sample.latencyMs = traffic.latencyMs;
    return sample;
  }

  #cpuCores(
    watched: Watched,
    cpuUsageSeconds: number | undefined,
    atMonotonicMs: number,
  ): number | undefined {
    if (cpuUsageSeconds === undefined) return undefined;
    const cpu: CpuReading = { cpuUsageSeconds, atMonotonicMs };
    const cpuCores = cpuCoresBetween(watched.lastCpu, cpu, this.#maxGapMs);
    watched.lastCpu = cpu;
    return cpuCores;
  }

  #cpuHeldBackRatio(watched: Watched, now: HeldBackReading): number | undefined {
    const ratio = heldBackRatioBetween(watched.lastHeldBack, now, this.#maxGapMs);
    watched.lastHeldBack = now;
    return ratio;
  }

  #forget(replica: ReplicaId): void {
    this.#watched.get(replica)?.reader?.[Symbol.dispose]();
    this.#watched.delete(replica);
  }
}
