/** A fixed grid of instants on the monotonic clock: tick n is due at `startMs + n * intervalMs`, however late one was. */
export interface Schedule {
  readonly startMs: number;
  readonly intervalMs: number;
}

export interface Tick {
  /** Counts the intervals since the start, also those that no tick was made for. */
  readonly tick: number;
  readonly dueMs: number;
}

/** The tick to wait for after `lastTick`: after a pause the missed ones are left out, never caught up in a burst. */
export function nextTick(schedule: Schedule, lastTick: number, nowMs: number): Tick {
  const elapsed = Math.floor((nowMs - schedule.startMs) / schedule.intervalMs);
  // A timer may fire a little early: the same tick is then not made twice.
  const tick = Math.max(lastTick + 1, elapsed + 1);
  return { tick, dueMs: schedule.startMs + tick * schedule.intervalMs };
}
