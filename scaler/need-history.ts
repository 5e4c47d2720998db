/** Parts the stabilization window is kept in: it is remembered for its length, and at most this share longer. */
const PARTS = 5;

/**
 * The most replicas that were needed at any moment of the stabilization window, which a scale-in must not go below.
 * Kept as the peak of each part of the window: a handful of numbers, however often it is evaluated.
 */
export interface NeedHistory {
  readonly windowMs: number;
  /** When the newest part began. */
  readonly startedAtMs: number;
  /** Peaks, newest first. */
  readonly peaks: readonly number[];
}

/** Nothing was seen yet, so as much as there is counts as needed. */
export function startNeedHistory(nowMs: number, desired: number, windowMs: number): NeedHistory {
  const peaks = windowMs === 0 ? [] : Array.from({ length: PARTS + 1 }, () => desired);
  return { windowMs, startedAtMs: nowMs, peaks };
}

export function recordNeed(history: NeedHistory, nowMs: number, count: number): NeedHistory {
  if (history.peaks.length === 0) return history;
  const [newest = count] = history.peaks;
  const partMs = history.windowMs / PARTS;
  const passed = Math.floor((nowMs - history.startedAtMs) / partMs);
  if (passed <= 0) {
    // A clock that was set back must not make the window longer: the newest part begins anew.
    const startedAtMs = Math.min(history.startedAtMs, nowMs);
    if (startedAtMs === history.startedAtMs && newest >= count) return history;
    return { ...history, startedAtMs, peaks: history.peaks.with(0, Math.max(newest, count)) };
  }
  const peaks = [count];
  // Parts that nobody looked at were no calmer than the one before them.
  for (let part = 1; part < passed && part <= PARTS; part += 1) peaks.push(Math.max(newest, count));
  for (const peak of history.peaks) {
    if (peaks.length > PARTS) break;
    peaks.push(peak);
  }
  return { windowMs: history.windowMs, startedAtMs: history.startedAtMs + passed * partMs, peaks };
}

/** The peak over the whole window; 0 without a window. */
export function needed(history: NeedHistory): number {
  return history.peaks.reduce((most, peak) => Math.max(most, peak), 0);
}

/** How long until nothing above `count` is remembered, if no more is needed from now on. */
export function remainingNeed(history: NeedHistory, nowMs: number, count: number): number {
  const newestAbove = history.peaks.findIndex((peak) => peak > count);
  if (newestAbove < 0) return 0;
  const forgottenAtMs = history.startedAtMs + ((PARTS + 1 - newestAbove) * history.windowMs) / PARTS;
  return Math.max(0, forgottenAtMs - nowMs);
}
