import { systemClock } from "../core/clock.ts";
import type { ReplicaId, Target } from "../core/types.ts";
import type { Batch } from "./batch.ts";
import type { Discovered, Discovery } from "./discover/discovered.ts";
import { joinTargets } from "./discover/from-targets.ts";
import type { Figures } from "./figures.ts";
import type { Sampler } from "./sampler.ts";
import { nextTick } from "./schedule.ts";

export interface WatchParts {
  readonly sampler: Sampler;
  readonly intervalMs: number;
  /** Containers that nobody named, as the engine shows them. */
  readonly discovery?: Discovery;
  /** Called with what is known whenever that has changed. */
  readonly onList: (containers: ReadonlyMap<ReplicaId, Discovered>) => void;
  /** Called after each round, with what it found. */
  readonly onRound: (batch: Batch, containers: ReadonlyMap<ReplicaId, Discovered>) => void;
}

/** Reads, at each tick, every container that is known and every replica that was named. */
export class Watch implements Disposable {
  readonly #parts: WatchParts;
  #targets: readonly Target[] = [];
  #containers: ReadonlyMap<ReplicaId, Discovered> = new Map();
  #timer: NodeJS.Timeout | undefined;
  #reading = false;
  #begun = false;
  #samples = 0;
  #missed = 0;
  #lateMs = 0;
  #roundMs = 0;

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  /** For the collector's page. */
  get figures(): Figures {
    return {
      samples_total: this.#samples,
      samples_missed_total: this.#missed,
      round_seconds: this.#roundMs / 1_000,
      late_seconds: this.#lateMs / 1_000,
    };
  }

  /** Replicas to read beside those that are discovered: always the whole list. */
  setTargets(targets: readonly Target[]): void {
    this.#targets = targets;
    this.relist();
  }

  /** What is known of containers has changed. New ones are read at once: they may not live until the next tick. */
  relist(): void {
    const { sampler, discovery, onList } = this.#parts;
    this.#containers = joinTargets(discovery?.containers ?? new Map(), this.#targets);
    sampler.setContainers([...this.#containers.values()]);
    onList(this.#containers);
    if (this.#begun && !this.#reading) sampler.readNew();
  }

  /** Makes the first round now, and further ones from then on. Beginning twice is beginning once. */
  begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    const schedule = { startMs: systemClock.monotonicMs(), intervalMs: this.#parts.intervalMs };
    const wait = (lastTick: number): void => {
      const nowMs = systemClock.monotonicMs();
      const { tick, dueMs } = nextTick(schedule, lastTick, nowMs);
      this.#timer = setTimeout(() => {
        this.#lateMs = Math.max(0, systemClock.monotonicMs() - dueMs);
        void this.#round(tick);
        wait(tick);
      }, dueMs - nowMs);
    };
    void this.#round(0);
    wait(0);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  /** A round that is not over when the next is due takes its place: ticks are left out, never caught up. */
  async #round(tick: number): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    const fromMs = systemClock.monotonicMs();
    try {
      const batch = await this.#parts.sampler.sampleInSlices(tick);
      this.#roundMs = systemClock.monotonicMs() - fromMs;
      this.#samples += batch.samples.length;
      this.#missed += batch.missed.length;
      this.#parts.onRound(batch, this.#containers);
    } finally {
      this.#reading = false;
    }
  }
}
