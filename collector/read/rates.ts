/** A CPU counter and when it was read, on a clock that never goes back. */
export interface CpuReading {
  readonly cpuUsageSeconds: number;
  readonly atMonotonicMs: number;
}

/**
 * The cores in use between two readings of one replica. Undefined without a reading before, when the counter fell
 * (the replica started anew), when no time passed, and over a gap longer than `maxGapMs`, whose mean says nothing
 * about now.
 */
export function cpuCoresBetween(
  before: CpuReading | undefined,
  now: CpuReading,
  maxGapMs: number,
): number | undefined {
  if (before === undefined) return undefined;
  const elapsedMs = now.atMonotonicMs - before.atMonotonicMs;
  const usedSeconds = now.cpuUsageSeconds - before.cpuUsageSeconds;
  if (!(elapsedMs > 0 && elapsedMs <= maxGapMs && usedSeconds >= 0)) return undefined;
  return (usedSeconds * 1_000) / elapsedMs;
}
