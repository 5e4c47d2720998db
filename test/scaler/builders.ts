import type {
  AppliedLimit,
  Evaluation,
  ObservedReplica,
  Rule,
  RuleVerdict,
  ScalingPolicy,
  Service,
} from "../../core/types.ts";
import { decide, type ScalingInput, type ScalingMemory, type ServingReplica } from "../../scaler/decide.ts";

export const NOW_MS = Date.UTC(2030, 0, 1);
export const SERVICE = "shop_web";

/** Of one core. */
export const MAX_CPU_70: Rule = { metric: "cpu", maxRatio: 0.7, capacity: 1 };
export const CPU_30_TO_70: Rule = { ...MAX_CPU_70, minRatio: 0.3 };
/** Of 1000 bytes. */
export const MAX_MEMORY_80: Rule = { metric: "memory", maxRatio: 0.8, capacity: 1_000 };

/** What labels without a word about it mean, with one rule. */
export function policyOf(changes: Partial<ScalingPolicy> = {}): ScalingPolicy {
  return {
    rules: [MAX_CPU_70],
    minReplicas: 1,
    maxReplicas: 10,
    step: 1,
    windowMs: 10_000,
    cooldownMs: 15_000,
    stabilizationMs: 300_000,
    dryRun: false,
    ...changes,
  };
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
export function inputOf(changes: Partial<ScalingInput> & Pick<ScalingInput, "serving">): ScalingInput {
  return {
    nowMs: NOW_MS,
    service: SERVICE,
    policy: policyOf(),
    desired: changes.serving.length,
    single: false,
    ...changes,
  };
}

export function evaluate(changes: Partial<ScalingInput> & Pick<ScalingInput, "serving">): Evaluation {
  return decide(inputOf(changes)).evaluation;
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
