import { cpuCapacityCores, memoryCapacityBytes } from "./capacity.ts";
import type { LabelReader, LabelSpec } from "./label-reader.ts";
import { SCALING_LABELS as LABELS } from "./scaling-labels.ts";
import { clashesOf } from "./schedule-label.ts";
import type { Resources, Rule, RuleMetric, ScalingPolicy } from "./types.ts";
import { formatDuration, MINUTE_MS, SECOND_MS } from "./units.ts";

const DEFAULT_MIN_REPLICAS = 1;
const DEFAULT_MAX_REPLICAS = 10;
const DEFAULT_STEP = 1;
const DEFAULT_IDLE_MS = 10 * MINUTE_MS;
const DEFAULT_WINDOW_MS = 10 * SECOND_MS;
const DEFAULT_COOLDOWN_MS = 15 * SECOND_MS;

/** What else there is, that rules depend on. */
export interface ScalingGrounds {
  readonly resources: Resources;
  /** The service exposes metrics of its own. */
  readonly hasMetrics: boolean;
  /** Its requests come through the balancer. */
  readonly hasTraffic: boolean;
  /** The configuration names a Prometheus server; absent: nobody knows. */
  readonly hasPrometheus?: boolean | undefined;
}

/** Absent when the service says nothing of scaling, or nothing that can be used. */
export function readScaling(reader: LabelReader, grounds: ScalingGrounds): ScalingPolicy | undefined {
  if (!reader.says(...Object.values(LABELS))) return undefined;

  const rules = readRules(reader, grounds);
  const { minReplicas, maxReplicas } = readBounds(reader);
  const idleMs = readIdle(reader, minReplicas, grounds);
  const kind = readKind(reader);
  const step = reader.get(LABELS.step) ?? DEFAULT_STEP;
  const windowMs = reader.get(LABELS.window) ?? DEFAULT_WINDOW_MS;
  const cooldownMs = reader.get(LABELS.cooldown) ?? (kind === "step" ? DEFAULT_COOLDOWN_MS : 0);
  const stabilizationMs = reader.get(LABELS.stabilization);
  const scaleInsPerHour = reader.get(LABELS.scaleInsPerHour);
  const schedule = reader.get(LABELS.schedule) ?? [];
  for (const clash of clashesOf(schedule)) reader.warning(reader.written(LABELS.schedule), clash);
  const predict = reader.get(LABELS.predict) ?? false;
  const dryRun = reader.get(LABELS.dryRun) ?? false;
  const onExternalChange = reader.get(LABELS.onExternalChange);
  if (rules.length === 0) return undefined;
  return {
    rules,
    kind,
    minReplicas,
    maxReplicas,
    ...(idleMs === undefined ? {} : { idleMs }),
    step,
    windowMs,
    cooldownMs,
    ...(stabilizationMs === undefined ? {} : { stabilizationMs }),
    ...(scaleInsPerHour === undefined ? {} : { scaleInsPerHour }),
    schedule,
    predict,
    dryRun,
    ...(onExternalChange === undefined ? {} : { onExternalChange }),
  };
}

/** True when there is a label to read a rule from, whether or not it can be read. */
export function asksForRule(reader: LabelReader): boolean {
  return reader.has(LABELS.maxCpu, LABELS.maxMemory, LABELS.maxRps, LABELS.maxLatency, LABELS.query);
}

function readKind(reader: LabelReader): ScalingPolicy["kind"] {
  const policy = reader.get(LABELS.policy);
  const saysStep = reader.says(LABELS.step);
  // What a service says of steps itself is nearer to it than a default.
  if (saysStep && !reader.says(LABELS.policy)) return "step";
  if (saysStep && policy === "target") {
    reader.warning(reader.written(LABELS.step), `is not used by ${LABELS.policy.key}: target`);
  }
  return policy ?? (reader.has(LABELS.step) ? "step" : "target");
}

function readBounds(reader: LabelReader): Pick<ScalingPolicy, "minReplicas" | "maxReplicas"> {
  const minReplicas = reader.get(LABELS.min) ?? DEFAULT_MIN_REPLICAS;
  const maxReplicas = reader.get(LABELS.max) ?? Math.max(DEFAULT_MAX_REPLICAS, minReplicas);
  if (minReplicas <= maxReplicas) return { minReplicas, maxReplicas };
  const [saysMin, saysMax] = [reader.says(LABELS.min), reader.says(LABELS.max)];
  // A default gives way to what the service says itself.
  if (saysMin && !saysMax) return { minReplicas, maxReplicas: minReplicas };
  if (saysMax && !saysMin) return { minReplicas: maxReplicas, maxReplicas };
  reader.error(
    reader.written(LABELS.min),
    `must not be above ${reader.named(LABELS.max)}, got min ${minReplicas} and max ${maxReplicas}`,
  );
  return { minReplicas, maxReplicas };
}

/** Undefined for a service that always has a replica. */
function readIdle(
  reader: LabelReader,
  minReplicas: number,
  { hasTraffic }: ScalingGrounds,
): number | undefined {
  const idleMs = reader.get(LABELS.idle);
  if (minReplicas > 0) {
    if (reader.says(LABELS.idle))
      reader.warning(LABELS.idle.key, `is not used without ${LABELS.min.key}: "0"`);
    return undefined;
  }
  if (!hasTraffic && !reader.has(LABELS.query)) {
    reader.error(
      reader.written(LABELS.min),
      `cannot be 0 without lb.port or ${LABELS.query.key} beside it: nothing would wake the service again`,
    );
  }
  return idleMs ?? DEFAULT_IDLE_MS;
}

interface RuleSource {
  readonly metric: RuleMetric;
  readonly max: LabelSpec<number>;
  readonly min?: LabelSpec<number>;
  /** Why the service cannot have such a rule. */
  readonly unfit?: string | undefined;
  readonly capacity?: number | undefined;
  /** The engine holds the replica below its capacity, so that more than 100 % cannot be. */
  readonly enforced?: boolean;
}

const NO_METRICS =
  "needs metrics.port or lb.port beside it: it is read from what the replicas expose themselves, or from the balancer";

function readRules(reader: LabelReader, { resources, hasMetrics, hasPrometheus }: ScalingGrounds): Rule[] {
  const memoryBytes = memoryCapacityBytes(resources);
  const noMetrics = hasMetrics ? undefined : NO_METRICS;
  const rules = [
    readRule(reader, {
      metric: "cpu",
      max: LABELS.maxCpu,
      min: LABELS.minCpu,
      capacity: cpuCapacityCores(resources),
      enforced: resources.limitCores !== undefined,
    }),
    readRule(reader, {
      metric: "memory",
      max: LABELS.maxMemory,
      min: LABELS.minMemory,
      unfit:
        memoryBytes === undefined
          ? "is a percentage of deploy.resources.limits.memory, and there is no such limit"
          : undefined,
      capacity: memoryBytes,
      enforced: resources.limitMemoryBytes !== undefined,
    }),
    readRule(reader, { metric: "rps", max: LABELS.maxRps, min: LABELS.minRps, unfit: noMetrics }),
    readRule(reader, { metric: "latency", max: LABELS.maxLatency, unfit: noMetrics }),
    readQueryRule(reader, hasPrometheus),
  ];
  return rules.filter((rule) => rule !== undefined);
}

function readQueryRule(reader: LabelReader, hasPrometheus: boolean | undefined): Rule | undefined {
  const { query, queryMax, queryMin } = LABELS;
  const expression = reader.get(query);
  if (expression === undefined && !reader.has(query)) {
    for (const spec of [queryMax, queryMin]) {
      reader.get(spec);
      if (reader.says(spec)) reader.error(reader.written(spec), `needs ${query.key} beside it`);
    }
    return undefined;
  }
  const rule = readRule(reader, { metric: "query", max: queryMax, min: queryMin });
  if (!reader.has(queryMax)) reader.error(query.key, `needs ${queryMax.key} beside it`);
  if (hasPrometheus === false) {
    reader.warning(
      query.key,
      "cannot be asked: the configuration names no prometheus, so this rule knows nothing, and nothing scales in",
    );
  }
  return rule === undefined || expression === undefined ? undefined : { ...rule, expression };
}

function readRule(reader: LabelReader, source: RuleSource): Rule | undefined {
  const max = reader.get(source.max);
  const min = source.min === undefined ? undefined : reader.get(source.min);
  const maxKey = reader.written(source.max);
  if (max === undefined) {
    if (source.min !== undefined && reader.says(source.min) && !reader.has(source.max)) {
      reader.error(reader.written(source.min), `needs ${maxKey} beside it`);
    }
    return undefined;
  }
  const aboveLimit =
    source.enforced === true && max >= 1
      ? `expected less than 100 % of the limit, which use cannot pass, got ${levelText(source.metric, max)}`
      : undefined;
  const problem = source.unfit ?? aboveLimit;
  if (problem !== undefined) {
    if (reader.says(source.max)) reader.error(maxKey, problem);
    else reader.warning(maxKey, `left out: ${problem}`);
    if (source.unfit !== undefined || !reader.says(source.max)) return undefined;
  }
  const { metric, capacity } = source;
  return {
    metric,
    max,
    ...(isBelow(min, max, reader, source) ? { min } : {}),
    ...(capacity === undefined ? {} : { capacity }),
    ...(source.enforced === true ? { enforced: true } : {}),
  };
}

/** Tells of a lower threshold that is none. */
function isBelow(
  min: number | undefined,
  max: number,
  reader: LabelReader,
  source: RuleSource,
): min is number {
  if (min === undefined || source.min === undefined) return false;
  if (min < max) return true;
  const key = reader.written(source.min);
  const levels = `${levelText(source.metric, min)} and ${levelText(source.metric, max)}`;
  if (reader.says(source.max) && !reader.says(source.min)) {
    reader.warning(key, `left out: is not below ${reader.named(source.max)}, got ${levels}`);
  } else reader.error(key, `must be below ${reader.named(source.max)}, got ${levels}`);
  return false;
}

/** Those whose level falls as replicas are added, by as much as they are more. */
const SHARED: Partial<Record<RuleMetric, LabelSpec<number>>> = {
  cpu: LABELS.minCpu,
  memory: LABELS.minMemory,
  rps: LABELS.minRps,
};

/**
 * Some labels flap by arithmetic: just above `max` at n replicas, a step out leads below `min`, and back. The
 * decision refuses the way back, but the labels do not mean what they say, so that is told when they are read.
 */
export function warnOfFlapping(policy: ScalingPolicy, reader: LabelReader): void {
  if (policy.kind === "target") return;
  // The share that remains after a step is least at the fewest replicas.
  const before = policy.minReplicas;
  const after = Math.min(before + policy.step, policy.maxReplicas);
  if (after === before) return;
  for (const { metric, max, min } of policy.rules) {
    const spec = SHARED[metric];
    if (spec === undefined || min === undefined) continue;
    const shown = (level: number) => levelText(metric, level);
    const afterLevel = shownLevel(metric, (max * before) / after);
    if (afterLevel >= shownLevel(metric, min)) continue;
    const highestMin = Math.floor(afterLevel);
    // As a label, "0" and "1" are refused, or may be.
    const smaller = highestMin > 1 ? `min_${metric}: "${highestMin}" or less, or ` : "";
    reader.warning(
      reader.written(spec),
      `flaps by arithmetic: ${shown(max)} of ${before} is ${shown((max * before) / after)} of ${after}, below ${shown(min)}; ` +
        `a scale-in that would have to be undone is refused, but say ${smaller}a smaller step`,
    );
  }
}

function levelText(metric: RuleMetric, level: number): string {
  if (metric === "latency") return formatDuration(level);
  const shown = shownLevel(metric, level);
  if (metric === "rps") return `${shown}/s`;
  return metric === "query" ? String(shown) : `${shown} %`;
}

/** As labels say it; to a hundredth, which also hides what binary fractions add. */
function shownLevel(metric: RuleMetric, level: number): number {
  if (metric === "query" || metric === "latency") return level;
  return Math.round(level * (metric === "rps" ? 100 : 10_000)) / 100;
}
