import { cpuCapacityCores, memoryCapacityBytes } from "./capacity.ts";
import { type Diagnostic, Diagnostics } from "./diagnostics.ts";
import {
  type Reading,
  readBoolean,
  readCount,
  readDuration,
  readHttpProbe,
  readMetricsPath,
  readPercent,
  readPort,
  readTcpProbe,
} from "./label-values.ts";
import type { MetricsRequest, Probe, Resources, Rule, ScalingPolicy } from "./types.ts";
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "./units.ts";
import { unknownLabels } from "./unknown-labels.ts";

interface LabelSpec<T> {
  readonly key: string;
  /** Spellings of another platform that mean the same. */
  readonly aliases: readonly string[];
  /** One line of Markdown for the reference. */
  readonly meaning: string;
  readonly defaultText: string;
  readonly example: string;
  readonly read: (text: string) => Reading<T>;
}

function label<T>(
  key: string,
  read: (text: string) => Reading<T>,
  about: { meaning: string; defaultText: string; example: string; aliases?: readonly string[] },
): LabelSpec<T> {
  return { key, read, aliases: [], ...about };
}

/**
 * The label language. This one table decodes labels and prints the reference in the README and the docs.
 * `business.<name>` stands beside it, because its keys are the user's own.
 */
export const LABELS = {
  maxCpu: label("autoscale.max_cpu", readPercent, {
    aliases: ["aliyun.auto_scaling.max_cpu"],
    meaning: "scale out above; percent of the CPU limit, else of the reservation, else of one core",
    defaultText: "none",
    example: "70",
  }),
  minCpu: label("autoscale.min_cpu", readPercent, {
    aliases: ["aliyun.auto_scaling.min_cpu"],
    meaning:
      "scale in below; without it a service scales in when what remains would stay below 80 % of `max_cpu`",
    defaultText: "none",
    example: "30",
  }),
  maxMemory: label("autoscale.max_memory", readPercent, {
    aliases: ["aliyun.auto_scaling.max_memory"],
    meaning: "scale out above; working set in percent of the memory limit, else of the reservation",
    defaultText: "none",
    example: "80",
  }),
  minMemory: label("autoscale.min_memory", readPercent, {
    aliases: ["aliyun.auto_scaling.min_memory"],
    meaning: "scale in below; as for CPU",
    defaultText: "none",
    example: "40",
  }),
  step: label("autoscale.step", readCount(1), {
    aliases: ["aliyun.auto_scaling.step"],
    meaning: "replicas per step",
    defaultText: "1",
    example: "2",
  }),
  min: label("autoscale.min", readCount(1), {
    aliases: ["aliyun.auto_scaling.min_instances"],
    meaning: "never fewer replicas",
    defaultText: "1",
    example: "2",
  }),
  max: label("autoscale.max", readCount(1), {
    aliases: ["aliyun.auto_scaling.max_instances"],
    meaning: "never more replicas",
    defaultText: "10",
    example: "20",
  }),
  window: label("autoscale.window", readDuration(2 * SECOND_MS, 15 * MINUTE_MS), {
    meaning: "use is averaged over this; a jump shows in its last fifth, and is answered from there",
    defaultText: "10s",
    example: "30s",
  }),
  cooldown: label("autoscale.cooldown", readDuration(0, 24 * HOUR_MS), {
    meaning: "pause after a scale-out before the next one",
    defaultText: "15s",
    example: "1m",
  }),
  stabilization: label("autoscale.stabilization", readDuration(0, 24 * HOUR_MS), {
    meaning: "a scale-in must have been wanted for this long without a break",
    defaultText: "5m",
    example: "2m",
  }),
  dryRun: label("autoscale.dry_run", readBoolean, {
    meaning: "decide and record, do not act",
    defaultText: "false",
    example: "true",
  }),
  probeHttp: label("probe.http", readHttpProbe, {
    meaning:
      "a replica is ready when this path answers 2xx or 3xx; `/path`, or `:8080/path` for another than its first port",
    defaultText: "none",
    example: "/healthz",
  }),
  probeTcp: label("probe.tcp", readTcpProbe, {
    meaning: "a replica is ready when this port accepts a connection",
    defaultText: "none",
    example: ":5432",
  }),
  metricsPort: label("metrics.port", readPort, {
    meaning:
      "the replica exposes Prometheus or OpenMetrics text on this port; the collector scrapes it and offers it with the service's labels",
    defaultText: "none",
    example: "9100",
  }),
  metricsPath: label("metrics.path", readMetricsPath, {
    meaning: "where on `metrics.port` the text is",
    defaultText: "/metrics",
    example: "/internal/metrics",
  }),
} as const;

export const BUSINESS_PREFIX = "business.";
/** Prometheus label names; a leading `__` is Prometheus' own. */
const BUSINESS_NAME = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/;

const DEFAULT_MIN_REPLICAS = 1;
const DEFAULT_MAX_REPLICAS = 10;
const DEFAULT_STEP = 1;
const DEFAULT_WINDOW_MS = 10 * SECOND_MS;
const DEFAULT_COOLDOWN_MS = 15 * SECOND_MS;
const DEFAULT_METRICS_PATH = "/metrics";

export interface DecodedLabels {
  /** Absent when no rule was given, or when any label of the service cannot be used. */
  readonly scaling?: ScalingPolicy;
  readonly probe?: Probe;
  readonly metrics?: MetricsRequest;
  readonly businessLabels: Readonly<Record<string, string>>;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * What the labels of one service say. Every problem is reported; with an error among them the service does not
 * scale at all, rather than by half of what was asked.
 *
 * @param path where the labels stand, as `services.web.labels`
 */
export function decodeLabels(
  labels: Readonly<Record<string, string>>,
  resources: Resources,
  path: string,
): DecodedLabels {
  const diagnostics = new Diagnostics();
  const reader = new LabelReader(labels, path, diagnostics);
  reader.reportUnknown();
  const businessLabels = readBusinessLabels(labels, reader);
  const probe = readProbe(reader);
  const metrics = readMetrics(reader);

  const policy = readPolicy(reader, resources, path, diagnostics);
  const usable = diagnostics.errors.length === 0;
  if (policy !== undefined && usable) warnOfFlapping(policy, reader);
  return {
    ...(policy !== undefined && usable ? { scaling: policy } : {}),
    ...(probe === undefined ? {} : { probe }),
    ...(metrics === undefined ? {} : { metrics }),
    businessLabels,
    diagnostics: diagnostics.all,
  };
}

/** What the labels of one replica ask for that it exposes itself, by the same rules. */
export function decodeMetricsLabels(
  labels: Readonly<Record<string, string>>,
  path: string,
): Pick<DecodedLabels, "metrics" | "diagnostics"> {
  const diagnostics = new Diagnostics();
  const metrics = readMetrics(new LabelReader(labels, path, diagnostics));
  return { ...(metrics === undefined ? {} : { metrics }), diagnostics: diagnostics.all };
}

/** Reads labels by their specification and remembers what was wrong. */
class LabelReader {
  readonly #labels: Readonly<Record<string, string>>;
  readonly #path: string;
  readonly #diagnostics: Diagnostics;

  constructor(labels: Readonly<Record<string, string>>, path: string, diagnostics: Diagnostics) {
    this.#labels = labels;
    this.#path = path;
    this.#diagnostics = diagnostics;
  }

  /** The value under the label's key or one of its other spellings; absent also when it cannot be read. */
  get<T>(spec: LabelSpec<T>): T | undefined {
    const values: T[] = [];
    const [key, ...others] = this.#given(spec);
    if (key === undefined) return undefined;
    for (const given of [key, ...others]) {
      const text = this.#labels[given] ?? "";
      const reading = spec.read(text);
      if ("value" in reading) values.push(reading.value);
      else this.error(given, `${reading.refusal}, got ${JSON.stringify(text)}`);
    }
    // Compared as they are meant: "70" and "70%" do not contradict each other.
    const [value, ...same] = new Set(values);
    if (same.length === 0) return value;
    this.error(key, `contradicts ${others.join(", ")}: keep one`);
    return undefined;
  }

  has(specs: readonly LabelSpec<unknown>[]): boolean {
    return specs.some((spec) => this.#given(spec).length > 0);
  }

  /** The label's name as the person wrote it, so that a message points at what stands in the file. */
  written(spec: LabelSpec<unknown>): string {
    return this.#given(spec)[0] ?? spec.key;
  }

  error(key: string, message: string): void {
    this.#diagnostics.error({ path: `${this.#path}.${key}` }, message);
  }

  warning(key: string, message: string): void {
    this.#diagnostics.warning({ path: `${this.#path}.${key}` }, message);
  }

  #given(spec: LabelSpec<unknown>): string[] {
    return [spec.key, ...spec.aliases].filter((key) => this.#labels[key] !== undefined);
  }

  reportUnknown(): void {
    const specs: readonly LabelSpec<unknown>[] = Object.values(LABELS);
    const known = new Set(specs.flatMap((spec) => [spec.key, ...spec.aliases]));
    for (const { key, severity, message } of unknownLabels(
      Object.keys(this.#labels),
      known,
      BUSINESS_PREFIX,
    )) {
      if (severity === "error") this.error(key, message);
      else this.warning(key, message);
    }
  }
}

function readPolicy(
  reader: LabelReader,
  resources: Resources,
  path: string,
  diagnostics: Diagnostics,
): ScalingPolicy | undefined {
  const scalingSpecs = Object.values(LABELS).filter((spec) => spec.key.startsWith("autoscale."));
  if (!reader.has(scalingSpecs)) return undefined;

  const rules: Rule[] = [];
  const cpu = readRule(reader, {
    metric: "cpu",
    max: LABELS.maxCpu,
    min: LABELS.minCpu,
    capacity: cpuCapacityCores(resources),
    enforced: resources.limitCores !== undefined,
  });
  if (cpu !== undefined) rules.push(cpu);
  const memoryBytes = memoryCapacityBytes(resources);
  const memory = readRule(reader, {
    metric: "memory",
    max: LABELS.maxMemory,
    min: LABELS.minMemory,
    capacity: memoryBytes,
    enforced: resources.limitMemoryBytes !== undefined,
  });
  if (memory !== undefined) rules.push(memory);

  const minReplicas = reader.get(LABELS.min) ?? DEFAULT_MIN_REPLICAS;
  const maxReplicas = reader.get(LABELS.max) ?? Math.max(DEFAULT_MAX_REPLICAS, minReplicas);
  const step = reader.get(LABELS.step) ?? DEFAULT_STEP;
  const kind = reader.has([LABELS.step]) ? "step" : "target";
  const windowMs = reader.get(LABELS.window) ?? DEFAULT_WINDOW_MS;
  const cooldownMs = reader.get(LABELS.cooldown) ?? (kind === "step" ? DEFAULT_COOLDOWN_MS : 0);
  const stabilizationMs = reader.get(LABELS.stabilization);
  const dryRun = reader.get(LABELS.dryRun) ?? false;
  if (minReplicas > maxReplicas) {
    reader.error(
      reader.written(LABELS.min),
      `must not be above ${reader.written(LABELS.max)}, got min ${minReplicas} and max ${maxReplicas}`,
    );
  }
  if (!reader.has([LABELS.maxCpu, LABELS.maxMemory])) {
    diagnostics.error({ path }, `expected a rule to scale by, as ${LABELS.maxCpu.key}: "70"; got none`);
    return undefined;
  }
  return {
    rules,
    kind,
    minReplicas,
    maxReplicas,
    step,
    windowMs,
    cooldownMs,
    ...(stabilizationMs === undefined ? {} : { stabilizationMs }),
    schedule: [],
    predict: false,
    dryRun,
  };
}

interface RuleSource {
  readonly metric: Rule["metric"];
  readonly max: LabelSpec<number>;
  readonly min: LabelSpec<number>;
  readonly capacity: number | undefined;
  /** The engine holds the replica below its capacity, so that more than 100 % cannot be. */
  readonly enforced: boolean;
}

function readRule(reader: LabelReader, source: RuleSource): Rule | undefined {
  const maxRatio = reader.get(source.max);
  const minRatio = reader.get(source.min);
  const [maxKey, minKey] = [reader.written(source.max), reader.written(source.min)];
  if (maxRatio === undefined) {
    if (minRatio !== undefined && !reader.has([source.max])) {
      reader.error(minKey, `needs ${maxKey} beside it`);
    }
    return undefined;
  }
  if (source.capacity === undefined) {
    reader.error(
      maxKey,
      `is a percentage of deploy.resources.limits.${source.metric}, and there is no such limit`,
    );
    return undefined;
  }
  if (source.enforced && maxRatio >= 1) {
    reader.error(
      maxKey,
      `expected less than 100 % of the limit, which use cannot pass, got ${percentText(maxRatio)}`,
    );
  }
  if (minRatio !== undefined && minRatio >= maxRatio) {
    reader.error(
      minKey,
      `must be below ${maxKey}, got ${percentText(minRatio)} and ${percentText(maxRatio)}`,
    );
  }
  return {
    metric: source.metric,
    max: maxRatio,
    ...(minRatio === undefined ? {} : { min: minRatio }),
    capacity: source.capacity,
    ...(source.enforced ? { enforced: true } : {}),
  };
}

/**
 * Some labels flap by arithmetic: just above `max` at n replicas, a step out leads below `min`, and back. The
 * decision refuses the way back, but the labels do not mean what they say, so that is told when they are read.
 */
function warnOfFlapping(policy: ScalingPolicy, reader: LabelReader): void {
  for (const rule of policy.rules) {
    const { max: maxRatio, min: minRatio } = rule;
    if (minRatio === undefined || policy.kind === "target") continue;
    // The share that remains after a step is least at the fewest replicas.
    const before = policy.minReplicas;
    const after = Math.min(before + policy.step, policy.maxReplicas);
    const afterRatio = (maxRatio * before) / after;
    const highestMin = Math.floor(percentOf(afterRatio));
    if (after === before || percentOf(afterRatio) >= percentOf(minRatio)) continue;
    // As a label, "0" and "1" are refused.
    const smaller = highestMin > 1 ? `min_${rule.metric}: "${highestMin}" or less, or ` : "";
    reader.warning(
      reader.written(rule.metric === "cpu" ? LABELS.minCpu : LABELS.minMemory),
      `flaps by arithmetic: ${percentText(maxRatio)} of ${before} is ${percentText(afterRatio)} of ${after}, below ${percentText(minRatio)}; ` +
        `a scale-in that would have to be undone is refused, but say ${smaller}a smaller step`,
    );
  }
}

function readProbe(reader: LabelReader): Probe | undefined {
  const http = reader.get(LABELS.probeHttp);
  const tcp = reader.get(LABELS.probeTcp);
  if (http !== undefined && tcp !== undefined) {
    reader.error(LABELS.probeTcp.key, `excludes ${LABELS.probeHttp.key}: keep one`);
  }
  return http ?? tcp;
}

function readMetrics(reader: LabelReader): MetricsRequest | undefined {
  const port = reader.get(LABELS.metricsPort);
  const path = reader.get(LABELS.metricsPath);
  if (port !== undefined) return { port, path: path ?? DEFAULT_METRICS_PATH };
  if (path !== undefined && !reader.has([LABELS.metricsPort])) {
    reader.error(LABELS.metricsPath.key, `needs ${LABELS.metricsPort.key} beside it`);
  }
  return undefined;
}

function readBusinessLabels(
  labels: Readonly<Record<string, string>>,
  reader: LabelReader,
): Readonly<Record<string, string>> {
  const business: Record<string, string> = {};
  for (const [key, value] of Object.entries(labels)) {
    if (!key.startsWith(BUSINESS_PREFIX)) continue;
    const name = key.slice(BUSINESS_PREFIX.length);
    if (BUSINESS_NAME.test(name)) business[name] = value;
    else {
      reader.error(
        key,
        "expected a Prometheus label name after business. (letters, digits and _, not starting with a digit or __)",
      );
    }
  }
  return business;
}

/** To a hundredth of a percent, which also hides what binary fractions add. */
function percentOf(ratio: number): number {
  return Math.round(ratio * 10_000) / 100;
}

function percentText(ratio: number): string {
  return `${percentOf(ratio)} %`;
}
