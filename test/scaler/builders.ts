import type {
  AppliedLimit,
  Evaluation,
  ObservedReplica,
  Rule,
  RuleMetric,
  RuleVerdict,
  ScalingPolicy,
  Service,
} from "../../core/types.ts";
import { decide, type ScalingInput, type ScalingMemory } from "../../scaler/decide.ts";
import { type LevelReader, observe, type Reading } from "../../scaler/observe.ts";

export const NOW_MS = Date.UTC(2030, 0, 1);
export const SERVICE = "shop_web";

/** Of one core. */
export const MAX_CPU_70: Rule = { metric: "cpu", max: 0.7, capacity: 1 };
export const CPU_30_TO_70: Rule = { ...MAX_CPU_70, min: 0.3 };
/** Of 1000 bytes. */
export const MAX_MEMORY_80: Rule = { metric: "memory", max: 0.8, capacity: 1_000 };

/** Use of one replica, or a level of the service as a whole, in the unit that it is read in: cores, bytes. */
export interface Use {
  /** Mean over the policy's window. */
  readonly mean: number;
  /** Mean over the window's last moments. */
  readonly burst?: number;
  readonly newestAtMs: number;
}

/** A replica that serves, with what was read of it; a metric that was not read is absent. */
export type ServingReplica = { readonly [Metric in RuleMetric]?: Use };

/** The input of a decision, with replicas in place of the sums over them. */
export type Situation = Partial<Omit<ScalingInput, "serving" | "observations">> & {
  readonly serving: readonly ServingReplica[];
  /** Levels of the service as a whole. */
  readonly levels?: { readonly [Metric in RuleMetric]?: Use };
  /** Share of the last moments in which each replica waited for CPU. */
  readonly heldBackRatio?: number;
};

/** One replica at a time, and a scale-in only after five minutes: nothing is learned. */
export function policyOf(changes: Partial<ScalingPolicy> = {}): ScalingPolicy {
  return {
    rules: [MAX_CPU_70],
    kind: "step",
    minReplicas: 1,
    maxReplicas: 10,
    step: 1,
    windowMs: 10_000,
    cooldownMs: 15_000,
    stabilizationMs: 300_000,
    schedule: [],
    predict: false,
    dryRun: false,
    ...changes,
  };
}

/** As many as keep use near the thresholds, with a window that is given. */
export function targetOf(changes: Partial<ScalingPolicy> = {}): ScalingPolicy {
  return policyOf({ kind: "target", cooldownMs: 0, ...changes });
}

/** Replicas that use so many cores each; `undefined` for one that gave no reading. */
export function usingCores(...cores: (number | undefined)[]): ServingReplica[] {
  return cores.map((mean) => (mean === undefined ? {} : { cpu: { mean, newestAtMs: NOW_MS } }));
}

/** So many replicas that use as many cores each. */
export function alike(count: number, cores: number): ServingReplica[] {
  return usingCores(...Array.from({ length: count }, () => cores));
}

/** Nothing was needed of late, and nothing was changed: a scale-in is free to go. */
export const CALM: ScalingMemory = {
  need: { windowMs: 300_000, startedAtMs: NOW_MS, peaks: [1, 1, 1, 1, 1, 1] },
};

/** A service of as many replicas as serve, unless told otherwise. */
export function inputOf(situation: Situation): ScalingInput {
  const { serving, levels: _levels, heldBackRatio: _heldBackRatio, ...changes } = situation;
  const { policy = policyOf(), nowMs = NOW_MS, desired = serving.length } = changes;
  const replicas = serving.map((_, index) => replicaOf(String(index)));
  const subject = { service: serviceOf({ scaling: policy }), desired, replicas };
  const observed = observe(subject, policy, readerOf(situation, nowMs - policy.windowMs), nowMs);
  return { nowMs, service: SERVICE, policy, desired, ...observed, single: false, ...changes };
}

function readerOf({ serving, levels, heldBackRatio }: Situation, windowFromMs: number): LevelReader {
  const readingOf = (use: Use | undefined, fromMs: number): Reading | undefined => {
    if (use === undefined) return undefined;
    const { mean, burst = mean, newestAtMs } = use;
    return { mean: fromMs === windowFromMs ? mean : burst, newestAtMs };
  };
  return {
    ofReplica: ({ id }, metric, fromMs) => readingOf(serving[Number(id)]?.[metric], fromMs),
    heldBack: () => heldBackRatio,
    ofService: (_service, { metric }, fromMs) => readingOf(levels?.[metric], fromMs),
  };
}

export function evaluate(situation: Situation): Evaluation {
  return decide(inputOf(situation)).evaluation;
}

export function limitNames(evaluation: Evaluation): AppliedLimit["limit"][] {
  return evaluation.limits.map(({ limit }) => limit);
}

export function wants(evaluation: Evaluation): RuleVerdict["wants"][] {
  return evaluation.verdicts.map((verdict) => verdict.wants);
}

export function serviceOf(changes: Partial<Service> = {}): Service {
  return {
    id: SERVICE,
    project: "shop",
    name: "web",
    template: {
      environment: {},
      labels: {},
      ports: [],
      exposedPorts: [],
      mounts: [],
      networks: [],
      restart: { condition: "any", delayMs: 100 },
      stopGraceMs: 10_000,
      resources: {},
      container: {},
    },
    templateHash: "first",
    initialReplicas: 1,
    scaling: policyOf(),
    businessLabels: {},
    dependsOn: [],
    ...changes,
  };
}

export function replicaOf(id: string, changes: Partial<ObservedReplica> = {}): ObservedReplica {
  return {
    id,
    project: "shop",
    service: SERVICE,
    slot: 1,
    name: `shop-web-${id}`,
    state: "running",
    origin: "flyball",
    readyAtMs: NOW_MS - 3_600_000,
    endpoints: [],
    notEnforced: [],
    ...changes,
  };
}
