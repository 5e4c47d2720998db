import { type Diagnostic, Diagnostics } from "./diagnostics.ts";
import { LabelReader, type LabelSpec, label } from "./label-reader.ts";
import { readHttpProbe, readMetricsPath, readPort, readTcpProbe } from "./label-values.ts";
import { SCALING_LABELS, SCALING_PREFIX } from "./scaling-labels.ts";
import { asksForRule, readScaling, warnOfFlapping } from "./scaling-policy.ts";
import type { MetricsRequest, Probe, Resources, ScalingPolicy } from "./types.ts";
import { unknownLabels } from "./unknown-labels.ts";

/**
 * The label language. This one table decodes labels and prints the reference in the README and the docs.
 * `business.<name>` stands beside it, because its keys are the user's own.
 */
export const LABELS = {
  ...SCALING_LABELS,
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

const DEFAULT_METRICS_PATH = "/metrics";

export interface DecodedLabels {
  /** Absent when no rule was given, or when any label of the service cannot be used. */
  readonly scaling?: ScalingPolicy;
  readonly probe?: Probe;
  readonly metrics?: MetricsRequest;
  readonly businessLabels: Readonly<Record<string, string>>;
  readonly diagnostics: readonly Diagnostic[];
}

/** What the configuration adds to the labels of services. */
export interface LabelSettings {
  /** Name of an `autoscale.*` label without that prefix → its value, for services that say anything of scaling. */
  readonly defaults?: Readonly<Record<string, string>>;
  /** There is a Prometheus server to ask; absent: nobody knows. */
  readonly hasPrometheus?: boolean;
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
  settings: LabelSettings = {},
): DecodedLabels {
  const diagnostics = new Diagnostics();
  const reader = new LabelReader(labels, path, diagnostics, asLabels(settings.defaults ?? {}));
  reportUnknown(labels, reader);
  const businessLabels = readBusinessLabels(labels, reader);
  const probe = readProbe(reader);
  const metrics = readMetrics(reader);

  const hasMetrics = reader.says(LABELS.metricsPort);
  const policy = readScaling(reader, { resources, hasMetrics, hasPrometheus: settings.hasPrometheus });
  const usable = diagnostics.errors.length === 0;
  const asksToScale = reader.says(...Object.values(SCALING_LABELS));
  if (asksToScale && (!asksForRule(reader) || (usable && policy === undefined))) {
    diagnostics.error({ path }, `expected a rule to scale by, as ${LABELS.maxCpu.key}: "70"; got none`);
  }
  if (policy !== undefined && usable) warnOfFlapping(policy, reader);
  return {
    ...(policy !== undefined && usable ? { scaling: policy } : {}),
    ...(probe === undefined ? {} : { probe }),
    ...(metrics === undefined ? {} : { metrics }),
    businessLabels,
    diagnostics: diagnostics.all,
  };
}

/** What is wrong with defaults for the labels of services, whatever the service; their names are the places. */
export function checkScalingDefaults(defaults: Readonly<Record<string, string>>): readonly Diagnostic[] {
  const diagnostics = new Diagnostics();
  const labels = asLabels(defaults);
  const reader = new LabelReader(labels, "", diagnostics);
  reportUnknown(labels, reader);
  // Those of a service that could have every rule.
  readScaling(reader, { resources: { reservedCores: 1, reservedMemoryBytes: 1 }, hasMetrics: true });
  return diagnostics.errors;
}

function asLabels(defaults: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(defaults).map(([name, text]) => [SCALING_PREFIX + name, text]));
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

function reportUnknown(labels: Readonly<Record<string, string>>, reader: LabelReader): void {
  const specs: readonly LabelSpec<unknown>[] = Object.values(LABELS);
  const known = new Set(specs.flatMap((spec) => [spec.key, ...spec.aliases]));
  for (const { key, severity, message } of unknownLabels(Object.keys(labels), known, BUSINESS_PREFIX)) {
    if (severity === "error") reader.error(key, message);
    else reader.warning(key, message);
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
  if (path !== undefined && !reader.has(LABELS.metricsPort)) {
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
