import { cpuCapacityCores, memoryCapacityBytes } from "../../core/capacity.ts";
import { FlyballError } from "../../core/errors.ts";
import type { Resources, Rule, RuleMetric, ScalingPolicy } from "../../core/types.ts";
import { formatDuration, MINUTE_MS } from "../../core/units.ts";
import { type Trace, traceOf } from "./trace.ts";

/** What a service itself used, as `GET /v1/services/{id}/history` tells it. */
export interface ServiceHistory {
  readonly service: string;
  /** What its demand is in shares of. */
  readonly resources: Resources;
  /** Oldest first. */
  readonly minutes: readonly {
    readonly atMs: number;
    readonly demand: { readonly cpu?: number; readonly memory?: number };
  }[];
}

/** A load of the service's own, and the rules that can be replayed on it. */
export interface ServiceLoad {
  readonly trace: Trace;
  readonly policy: ScalingPolicy;
  /** Metrics of the rules that cannot. */
  readonly leftOut: readonly RuleMetric[];
}

const LEAST_MINUTES = 60;

/**
 * The demand on one metric, in what one replica of the policy may use. Where there are rules on both, that is CPU: a
 * replay has one load.
 *
 * @throws FlyballError NOT_SCALABLE without a rule on CPU or memory, NOT_FOUND without a minute, REQUEST_INVALID with
 *   fewer than an hour of them
 */
export function serviceLoad(history: ServiceHistory, policy: ScalingPolicy): ServiceLoad {
  const { service, minutes } = history;
  const rule = policy.rules.find(onCpu) ?? policy.rules.find(onMemory);
  if (rule === undefined) {
    const metrics = policy.rules.map(({ metric }) => metric).join(" and ");
    throw new FlyballError(
      "NOT_SCALABLE",
      `${service} has no rule on cpu or memory, which its history is of; its rule is on ${metrics}`,
    );
  }
  const metric = onCpu(rule) ? "cpu" : "memory";
  const factor = unitsPerShare(rule, history.resources);
  const timesMs: number[] = [];
  const values: number[] = [];
  for (const { atMs, demand } of minutes) {
    const share = demand[metric];
    if (share === undefined) continue;
    timesMs.push(atMs);
    values.push(share * factor);
  }
  if (values.length === 0) {
    throw new FlyballError(
      "NOT_FOUND",
      `there is no history of the ${metric} of ${service} in that time: a minute is kept for each that it runs`,
    );
  }
  if (values.length < LEAST_MINUTES) {
    const there = formatDuration(values.length * MINUTE_MS);
    throw new FlyballError("REQUEST_INVALID", `expected an hour of history of ${service}, got ${there}`);
  }
  return {
    trace: traceOf(service, Float64Array.from(timesMs), Float64Array.from(values)),
    // Who rehearses wants to see what would be done.
    policy: { ...policy, rules: [rule], dryRun: false },
    leftOut: policy.rules.filter((other) => other !== rule).map(({ metric: other }) => other),
  };
}

/** The history is in shares of what a replica may use now; the policy may be of replicas that may use another amount. */
function unitsPerShare({ metric, capacity }: Rule, resources: Resources): number {
  const now = metric === "cpu" ? cpuCapacityCores(resources) : memoryCapacityBytes(resources);
  return now === undefined || capacity === undefined ? 1 : now / capacity;
}

function onCpu({ metric }: Rule): boolean {
  return metric === "cpu";
}

function onMemory({ metric }: Rule): boolean {
  return metric === "memory";
}
