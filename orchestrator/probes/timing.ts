import type { Probe } from "../../core/types.ts";

export interface ProbeTiming {
  readonly intervalMs: number;
  readonly startIntervalMs: number;
  readonly timeoutMs: number;
  readonly initialDelayMs: number;
  /** Infinite: failures before the first success never count. */
  readonly startPeriodMs: number;
  readonly retries: number;
  readonly successThreshold: number;
}

/** Until a replica is ready it is asked often: each wait here is capacity that is there and not used. */
const BY_CONNECTION = { intervalMs: 2_000, startIntervalMs: 100, timeoutMs: 2_000 };
/** A command is a process more each time, which an engine takes a tenth of a second of CPU to make. */
const BY_COMMAND = { intervalMs: 10_000, startIntervalMs: 1_000, timeoutMs: 5_000 };

/** When the probe asks and what its answers count, what it does not say itself filled in. */
export function timingOf(probe: Probe): ProbeTiming {
  const usual = probe.kind === "cmd" ? BY_COMMAND : BY_CONNECTION;
  const { startPeriodMs = Number.POSITIVE_INFINITY, retries = 3, successThreshold = 1 } = probe;
  const { intervalMs = usual.intervalMs, timeoutMs = usual.timeoutMs, initialDelayMs = 0 } = probe;
  return {
    intervalMs,
    // Who asks every half second for good means it from the start.
    startIntervalMs: probe.startIntervalMs ?? Math.min(usual.startIntervalMs, intervalMs),
    timeoutMs,
    initialDelayMs,
    startPeriodMs,
    retries,
    successThreshold,
  };
}
