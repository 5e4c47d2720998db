import type { ObservedReplica, ReplicaId, TrafficReading } from "../../core/types.ts";
import { isOld, type Rollout } from "./rollout.ts";
import type { Colour, Readings } from "./trial.ts";

/**
 * What was counted since a weight is in force. Of this daemon's life alone: another one begins to count anew, and what was
 * not watched is not known.
 */
export interface Evidence extends Readings {
  readonly templateHash: string;
  readonly weightRatio: number;
  /** The totals of each replica when it was read last. */
  readonly totals: ReadonlyMap<ReplicaId, Totals>;
}

type Totals = Pick<TrafficReading, "requestsTotal" | "errorsTotal" | "readAtMs">;

/** What is counted of the replica; absent: nothing is known. */
export type TrafficOf = (replica: ReplicaId) => TrafficReading | undefined;

const NOTHING: Colour = { requests: 0, errors: 0 };

/** With one more look at the counters. */
export function gather(
  before: Evidence | undefined,
  { to, trial }: Rollout,
  seen: {
    readonly replicas: readonly ObservedReplica[];
    readonly trafficOf: TrafficOf;
    readonly isReady: boolean;
  },
  nowMs: number,
): Evidence {
  const weightRatio = trial?.weightRatio ?? 0;
  const known = before?.templateHash === to.hash && before.weightRatio === weightRatio ? before : undefined;
  let { old, fresh } = known ?? { old: NOTHING, fresh: NOTHING };
  const totals = new Map<ReplicaId, Totals>();
  for (const replica of seen.replicas) {
    const reading = seen.trafficOf(replica.id);
    const last = known?.totals.get(replica.id);
    if (reading === undefined) {
      if (last !== undefined) totals.set(replica.id, last);
      continue;
    }
    totals.set(replica.id, reading);
    // What was counted before the weight was in force says nothing about it.
    if (last === undefined || reading.readAtMs === last.readAtMs) continue;
    if (isOld(replica, to.hash)) old = withReading(old, reading, last);
    else fresh = withReading(fresh, reading, last);
  }
  const readySinceMs = seen.isReady ? (known?.readySinceMs ?? nowMs) : undefined;
  return {
    templateHash: to.hash,
    weightRatio,
    old,
    fresh,
    totals,
    ...(readySinceMs === undefined ? {} : { readySinceMs }),
  };
}

function withReading(colour: Colour, reading: TrafficReading, last: Totals): Colour {
  const requests = grown(reading.requestsTotal, last.requestsTotal);
  const errors = grown(reading.errorsTotal, last.errorsTotal);
  if (requests + errors === 0) return colour;
  const latencyMs = meanLatency(colour, reading.latencyMs, requests);
  return {
    requests: colour.requests + Math.max(requests, errors),
    errors: colour.errors + errors,
    ...(latencyMs === undefined ? {} : { latencyMs }),
  };
}

/** Counters only grow; one that has not begins again. */
function grown(total: number, before: number): number {
  return total >= before ? total - before : total;
}

function meanLatency(colour: Colour, latencyMs: number | undefined, requests: number): number | undefined {
  if (latencyMs === undefined || requests === 0) return colour.latencyMs;
  if (colour.latencyMs === undefined) return latencyMs;
  return (colour.latencyMs * colour.requests + latencyMs * requests) / (colour.requests + requests);
}
