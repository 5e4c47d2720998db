import type { Autoscaler, Observation, Situation } from "./autoscaler.ts";
import { type Load, replicasFor } from "./load.ts";

/** What a policy made of a load: the counts that were in force during each step. */
export interface Run {
  readonly policy: string;
  readonly load: Load;
  readonly ordered: Uint16Array;
  readonly serving: Uint16Array;
}

/** Replicas that were ordered together. */
interface Batch {
  readonly readyAtMs: number;
  count: number;
}

/**
 * A load, step by step. In each: the replicas whose time has come begin to serve; the policy sees the demand of this
 * very step; what it removes is gone and what it orders is on its way at once; and with what serves then, the step is
 * recorded. Replicas are removed from those on their way first, the latest order first.
 */
export function simulate(situation: Situation, autoscaler: Autoscaler): Run {
  const { load, startDelayMs, minReplicas, maxReplicas } = situation;
  const { startMs, stepMs, demand } = load;
  const ordered = new Uint16Array(demand.length);
  const served = new Uint16Array(demand.length);
  const bounded = (count: number) => Math.min(Math.max(count, minReplicas), maxReplicas);

  let desired = bounded(situation.initialReplicas ?? replicasFor(demand[0] ?? 0));
  let serving = desired;
  const onTheirWay: Batch[] = [];
  const seen: { -readonly [Key in keyof Observation]: Observation[Key] } = {
    nowMs: startMs,
    desired,
    serving,
    utilization: 0,
    demand: 0,
  };
  for (let step = 0; step < demand.length; step += 1) {
    const nowMs = startMs + step * stepMs;
    const asked = demand[step] ?? 0;
    // The first that was ordered is the first that serves.
    while ((onTheirWay[0]?.readyAtMs ?? Number.POSITIVE_INFINITY) <= nowMs) {
      serving += onTheirWay.shift()?.count ?? 0;
    }
    seen.nowMs = nowMs;
    seen.desired = desired;
    seen.serving = serving;
    seen.utilization = Math.min(1, asked / serving);
    seen.demand = asked;
    const wanted = bounded(autoscaler.next(seen));
    if (wanted > desired) {
      if (startDelayMs === 0) serving += wanted - desired;
      else onTheirWay.push({ readyAtMs: nowMs + startDelayMs, count: wanted - desired });
    } else {
      for (let excess = desired - wanted; excess > 0; ) {
        const latest = onTheirWay.at(-1);
        const removed = Math.min(excess, latest?.count ?? excess);
        excess -= removed;
        if (latest === undefined) serving -= removed;
        else if (latest.count > removed) latest.count -= removed;
        else onTheirWay.pop();
      }
    }
    desired = wanted;
    ordered[step] = desired;
    served[step] = serving;
  }
  return { policy: autoscaler.name, load, ordered, serving: served };
}
