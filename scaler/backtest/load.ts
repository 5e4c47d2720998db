import { FlyballError } from "../../core/errors.ts";
import { DAY_MS, SECOND_MS } from "../../core/units.ts";
import type { Trace } from "./trace.ts";

/** What a service is asked to do, step by step. */
export interface Load {
  /** Of the first step. */
  readonly startMs: number;
  readonly stepMs: number;
  /** At each step, in replica-units: 1 is all that one replica's CPU can do. */
  readonly demand: Float64Array;
  /** The steps before this one are history and count in no score. */
  readonly scoredFrom: number;
  /** How much of the trace's unit one replica at full CPU does. */
  readonly capacity: number;
}

/** The service level: the share of a replica's CPU that it may use and still answer well. */
export const SERVICE_LEVEL = 0.8;
/** What the trace's 99.9th percentile is scaled to, unless told otherwise: 20 replicas at the service level. */
const SCALED_PEAK = 16;
const PEAK_SHARE = 0.999;

const COARSE_STEP_MS = 5 * SECOND_MS;
const FINE_STEP_MS = SECOND_MS;
const HISTORY_FROM_MS = 10 * DAY_MS;
const HISTORY_MS = 7 * DAY_MS;
/** Of 5 s each: three years. */
const MOST_STEPS = 20_000_000;

/**
 * The load that a trace describes.
 *
 * @param capacity how much of the trace's unit one replica at full CPU does; "auto": such that the 99.9th
 *   percentile of the trace is 16 replicas at full CPU
 * @throws FlyballError CONFIG_INVALID
 */
export function loadOf(trace: Trace, capacity: number | "auto"): Load {
  const { timesMs, values } = trace;
  const stepMs = trace.stepMs < COARSE_STEP_MS ? FINE_STEP_MS : COARSE_STEP_MS;
  const startMs = timesMs[0] ?? 0;
  const lengthMs = (timesMs.at(-1) ?? 0) + trace.stepMs - startMs;
  const steps = Math.ceil(lengthMs / stepMs);
  if (steps > MOST_STEPS) {
    throw invalid(
      trace,
      `expected at most ${MOST_STEPS} steps of ${stepMs / SECOND_MS} s, got ${steps}; are the timestamps seconds?`,
    );
  }
  const demand = new Float64Array(steps);
  let next = 1;
  let held = values[0] ?? 0;
  for (let step = 0; step < steps; step += 1) {
    while ((timesMs[next] ?? Number.POSITIVE_INFINITY) <= startMs + step * stepMs) {
      held = values[next] ?? 0;
      next += 1;
    }
    demand[step] = held;
  }
  const unit = capacity === "auto" ? autoCapacity(trace, demand) : capacity;
  for (let step = 0; step < steps; step += 1) demand[step] = (demand[step] ?? 0) / unit;
  const scoredFrom = lengthMs > HISTORY_FROM_MS ? HISTORY_MS / stepMs : 0;
  return { startMs, stepMs, demand, scoredFrom, capacity: unit };
}

/** The 99.9th percentile of the demand, the history included. */
export function peakOf({ demand }: Pick<Load, "demand">): number {
  return percentile(demand, PEAK_SHARE);
}

/** The fewest replicas that do this within the service level; one at least. */
export function replicasFor(demand: number): number {
  return Math.max(1, Math.ceil(demand / SERVICE_LEVEL));
}

function autoCapacity(trace: Trace, demand: Float64Array): number {
  const peak = percentile(demand, PEAK_SHARE);
  if (peak > 0) return peak / SCALED_PEAK;
  throw invalid(
    trace,
    "expected a demand above 0 to scale by, got a 99.9th percentile of 0; give --capacity N",
  );
}

/** Nearest rank: the smallest of the values that so large a share of them does not exceed. */
function percentile(values: Float64Array, share: number): number {
  return values.toSorted()[Math.max(0, Math.ceil(share * values.length) - 1)] ?? 0;
}

function invalid(trace: Trace, message: string): FlyballError {
  return new FlyballError("CONFIG_INVALID", `trace ${trace.name}: ${message}`);
}
