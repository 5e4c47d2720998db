import type { ReplicaId, Sample } from "../core/types.ts";

/** A target that gave no sample at a tick, and why. */
export interface Missed {
  readonly replica: ReplicaId;
  readonly reason: string;
}

/** What one tick read of all targets. */
export interface Batch {
  /** Counts the intervals since the collector started; a gap means ticks that were not made. */
  readonly tick: number;
  readonly readAtMs: number;
  readonly samples: readonly Sample[];
  readonly missed: readonly Missed[];
}
