/**
 * How far the clock of the node that reads is from the daemon's: samples carry the node's time. A question and its answer
 * bound it; of several, the one that was on its way the shortest says it best.
 */

/** From the daemon. */
export interface ClockQuestion {
  readonly type: "clock";
  readonly askedAtMs: number;
}

/** From the collector: the question's own time, and the node's when it came. */
export interface ClockAnswer extends ClockQuestion {
  readonly nodeAtMs: number;
}

export interface ClockOffset {
  /** Add it to the daemon's time to get the node's. */
  readonly offsetMs: number;
  /** The offset is right to within half of it. */
  readonly roundTripMs: number;
}

/** Older ones are of a clock that has drifted since. */
const KEPT = 8;

export function answerClock({ type, askedAtMs }: ClockQuestion, nodeAtMs: number): ClockAnswer {
  return { type, askedAtMs, nodeAtMs };
}

/** Undefined when the daemon's own clock was set back meanwhile. */
export function clockOffset(
  { askedAtMs, nodeAtMs }: ClockAnswer,
  arrivedAtMs: number,
): ClockOffset | undefined {
  const roundTripMs = arrivedAtMs - askedAtMs;
  if (roundTripMs < 0) return undefined;
  return { offsetMs: nodeAtMs - (askedAtMs + arrivedAtMs) / 2, roundTripMs };
}

/** The measurements from now on, the newest last. */
export function withClockOffset(known: readonly ClockOffset[], next: ClockOffset): readonly ClockOffset[] {
  return [...known, next].slice(-KEPT);
}

/** Undefined when nothing was measured yet. */
export function bestClockOffset(known: readonly ClockOffset[]): ClockOffset | undefined {
  return known.reduce<ClockOffset | undefined>(
    (best, one) => (best === undefined || one.roundTripMs <= best.roundTripMs ? one : best),
    undefined,
  );
}

export function isClockQuestion(value: object): value is ClockQuestion {
  const { type, askedAtMs } = value as Partial<Record<keyof ClockQuestion, unknown>>;
  return type === "clock" && Number.isFinite(askedAtMs);
}

export function isClockAnswer(value: object): value is ClockAnswer {
  return isClockQuestion(value) && "nodeAtMs" in value && Number.isFinite(value.nodeAtMs);
}
