import type { ObservedReplica, RuleMetric, Service } from "../core/types.ts";
import type { ScalingInput, ScalingMemory, ServingReplica, Use } from "./decide.ts";

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

/** What `decide` needs to know of a service that scales. */
export function scalingInput(
  subject: ScalingSubject & { readonly service: { readonly scaling: NonNullable<Service["scaling"]> } },
  readUse: UseReader,
  memory: ScalingMemory | undefined,
  nowMs: number,
): ScalingInput {
  const { service, desired, replicas } = subject;
  const policy = service.scaling;
  const burstMs = Math.max(policy.windowMs * BURST_SHARE, LEAST_BURST_MS);
  const serving = replicas
    .filter((replica) => replica.state === "running")
    .map((replica): ServingReplica => {
      const use: { -readonly [Metric in RuleMetric]?: Use } = {};
      for (const rule of policy.rules) {
        // What a replica burns to get ready is not load.
        const sinceMs = Math.max(nowMs - policy.windowMs, replica.readyAtMs ?? 0);
        const mean = readUse(replica, rule.metric, sinceMs, nowMs);
        if (mean === undefined) continue;
        const burst = readUse(replica, rule.metric, Math.max(nowMs - burstMs, sinceMs), nowMs);
        use[rule.metric] = { ...mean, ...(burst === undefined ? {} : { burst: burst.mean }) };
      }
      return use;
    });
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
