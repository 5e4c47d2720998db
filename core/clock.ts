/** Where time comes from. Pure files get `nowMs` as an input and never see a clock. */
export interface Clock {
  /** Wall-clock time, milliseconds since 1970 UTC; may jump. */
  nowMs(): number;
  /** Time since some fixed instant, in milliseconds; never goes back. For durations and deadlines. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
