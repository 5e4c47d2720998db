import type { ObservedReplica, RuleMetric, Service } from "../core/types.ts";
import {
  type ScalingInput,
  type ScalingMemory,
  type ServingReplica,
  STALE_AFTER_MS,
  type Use,
} from "./decide.ts";

/** The mean of one replica's readings in a span of time; absent when it holds fewer than two. */
export type UseReader = (
  replica: ObservedReplica,
  metric: RuleMetric,
  fromMs: number,
  toMs: number,
) => { readonly mean: number; readonly newestAtMs: number } | undefined;

export interface ScalingSubject {
  readonly service: Service;
  readonly desired: number;
  readonly replicas: readonly ObservedReplica[];
}

/** A jump is looked for in this share of the window, and in no less than two seconds: two readings. */
const BURST_SHARE = 0.2;
const LEAST_BURST_MS = 2_000;
/** A reading is made each second, give or take a few milliseconds: one at the very edge must not come and go. */
const HALF_A_READING_MS = 500;

/** What `decide` needs to know of a service that scales. */
export function scalingInput(
  subject: ScalingSubject & { readonly service: { readonly scaling: NonNullable<Service["scaling"]> } },
  readUse: UseReader,
  memory: ScalingMemory | undefined,
  nowMs: number,
): ScalingInput {
  const { service, desired, replicas } = subject;
  const policy = service.scaling;
  const burstMs = Math.max(policy.windowMs * BURST_SHARE, LEAST_BURST_MS) - HALF_A_READING_MS;
  const serving: ServingReplica[] = [];
  for (const replica of replicas) {
    if (replica.state !== "running") continue;
    const servedMs = servedForMs(replica, nowMs);
    const use: { -readonly [Metric in RuleMetric]?: Use } = {};
    let silent = true;
    for (const { metric } of policy.rules) {
      // What a replica burns to get ready is not load.
      const mean = readUse(replica, metric, nowMs - Math.min(policy.windowMs, servedMs), nowMs);
      if (mean === undefined) continue;
      silent = false;
      const burst = readUse(replica, metric, nowMs - Math.min(burstMs, servedMs), nowMs);
      use[metric] = {
        mean: mean.mean,
        newestAtMs: mean.newestAtMs,
        ...(burst === undefined ? {} : { burst: burst.mean }),
      };
    }
    // One that became ready just now could not be read yet: it is still on its way, and nothing is wrong with it.
    if (!(silent && servedMs < STALE_AFTER_MS)) serving.push(use);
  }
  return {
    nowMs,
    service: service.id,
    policy,
    desired,
    serving,
    single: service.singleReplicaReason !== undefined,
    ...(memory === undefined ? {} : { memory }),
  };
}

/** For how long a replica has been ready; for ever when that is not known, or when the clock was set back since. */
function servedForMs({ readyAtMs }: ObservedReplica, nowMs: number): number {
  return readyAtMs === undefined || readyAtMs > nowMs ? Number.POSITIVE_INFINITY : nowMs - readyAtMs;
}
