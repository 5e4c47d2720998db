import type { Measurement } from "./measurement.ts";

/** What the kernel counted of a replica that wanted CPU, and when it was read, on a clock that never goes back. */
export interface HeldBackReading {
  readonly atMonotonicMs: number;
  readonly cpuUsageSeconds?: number;
  /** Counters of the CPU limit; absent without one. */
  readonly throttling?: { readonly periods: number; readonly throttledPeriods: number };
  /** Counter: seconds in which some task waited for a CPU. */
  readonly waitingSeconds?: number;
}

/** What of a measurement says whether CPU was wanted and not had. */
export function heldBackReadingOf(measurement: Measurement, atMonotonicMs: number): HeldBackReading {
  const { cpuUsageSeconds, cpuPeriods, cpuThrottledPeriods, cpuWaitingSeconds, details } = measurement;
  // The counters stand there without a limit too, and stay when one is taken away. Only the engine's stats say no more.
  const { cpuQuotaMicroseconds: quota } = details;
  const isLimited = quota === undefined ? cpuPeriods !== 0 : quota !== Infinity;
  return {
    atMonotonicMs,
    ...(cpuUsageSeconds === undefined ? {} : { cpuUsageSeconds }),
    ...(isLimited && cpuPeriods !== undefined && cpuThrottledPeriods !== undefined
      ? { throttling: { periods: cpuPeriods, throttledPeriods: cpuThrottledPeriods } }
      : {}),
    ...(cpuWaitingSeconds === undefined ? {} : { waitingSeconds: cpuWaitingSeconds }),
  };
}

/**
 * Share, 0..1, of the time between two readings of one replica in which it wanted CPU and did not get it: the larger of
 * the periods that its limit cut short and of the time in which some task waited. Undefined where neither can be told:
 * without a reading before, over a gap longer than `maxGapMs`, and where a counter fell.
 */
export function heldBackRatioBetween(
  before: HeldBackReading | undefined,
  now: HeldBackReading,
  maxGapMs: number,
): number | undefined {
  if (before === undefined) return undefined;
  const elapsedMs = now.atMonotonicMs - before.atMonotonicMs;
  if (!(elapsedMs > 0 && elapsedMs <= maxGapMs)) return undefined;
  const throttled = throttledRatio(before, now);
  const waited = waitedRatio(before, now, elapsedMs);
  return throttled === undefined || waited === undefined
    ? (throttled ?? waited)
    : Math.max(throttled, waited);
}

function throttledRatio(before: HeldBackReading, now: HeldBackReading): number | undefined {
  if (before.throttling === undefined || now.throttling === undefined) return undefined;
  const periods = now.throttling.periods - before.throttling.periods;
  const throttled = now.throttling.throttledPeriods - before.throttling.throttledPeriods;
  if (periods < 0 || throttled < 0) return undefined;
  // A limit gives some CPU in each period. What the counters still gain then is of a time before.
  if (now.cpuUsageSeconds !== undefined && now.cpuUsageSeconds === before.cpuUsageSeconds) return 0;
  // What ran is in a period that is not over yet.
  return periods === 0 ? undefined : Math.min(1, throttled / periods);
}

function waitedRatio(before: HeldBackReading, now: HeldBackReading, elapsedMs: number): number | undefined {
  if (before.waitingSeconds === undefined || now.waitingSeconds === undefined) return undefined;
  const waitedSeconds = now.waitingSeconds - before.waitingSeconds;
  return waitedSeconds < 0 ? undefined : Math.min(1, (waitedSeconds * 1_000) / elapsedMs);
}
