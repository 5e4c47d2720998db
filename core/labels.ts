import type { ServiceAlerts } from "./alert.ts";
import { ALERT_LABELS, readServiceAlerts } from "./alert-labels.ts";
import { BUSINESS_PREFIX, readBusinessLabels } from "./business-labels.ts";
import { DEPLOY_LABELS, type DeployRequest, readDeploy } from "./deploy-labels.ts";
import { type Diagnostic, Diagnostics } from "./diagnostics.ts";
import type { JobSpec } from "./job.ts";
import { isJobLabel, JOB_LABELS, readJob } from "./job-labels.ts";
import { LabelReader, type LabelSpec } from "./label-reader.ts";
import { METRICS_LABELS, readMetrics } from "./metrics-labels.ts";
import { PROBE_LABELS, readProbe } from "./probe-labels.ts";
import { SCALING_LABELS, SCALING_PREFIX } from "./scaling-labels.ts";
import { asksForRule, readScaling, warnOfFlapping } from "./scaling-policy.ts";
import { isTrafficPortLabel, readTraffic, TRAFFIC_LABELS } from "./traffic-labels.ts";
import type { MetricsRequest, Probe, Resources, ScalingPolicy, TrafficPolicy } from "./types.ts";
import { unknownLabels } from "./unknown-labels.ts";

/**
 * The label language. This one table decodes labels and prints the reference in the README and the docs.
 * `business.<name>` stands beside it, because its keys are the user's own.
 */
export const LABELS = {
  ...SCALING_LABELS,
  ...PROBE_LABELS,
  ...DEPLOY_LABELS,
  ...METRICS_LABELS,
  ...TRAFFIC_LABELS,
  ...ALERT_LABELS,
  ...JOB_LABELS,
} as const;

export interface DecodedLabels {
  /** Absent when no rule was given, or when any label of the service cannot be used. */
  readonly scaling?: ScalingPolicy;
  readonly probe?: Probe;
  readonly metrics?: MetricsRequest;
  readonly deploy?: DeployRequest;
  readonly traffic?: TrafficPolicy;
  readonly alerts?: ServiceAlerts;
  /** Present: the service is no set of replicas, and does not scale. */
  readonly job?: JobSpec;
  readonly businessLabels: Readonly<Record<string, string>>;
  readonly diagnostics: readonly Diagnostic[];
}

/** What the configuration adds to the labels of services. */
export interface LabelSettings {
  /** Name of an `autoscale.*` label without that prefix → its value, for services that say anything of scaling. */
  readonly defaults?: Readonly<Record<string, string>>;
  /** There is a Prometheus server to ask; absent: nobody knows. */
  readonly hasPrometheus?: boolean;
  /** The service's project is a batch: whatever says nothing else runs once. */
  readonly isBatch?: boolean;
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
  const deploy = readDeploy(reader);
  const traffic = readTraffic(labels, reader);
  const alerts = readServiceAlerts(reader);
  const hasMetrics = reader.says(LABELS.metricsPort) || traffic !== undefined;
  const policy = readScaling(reader, {
    resources,
    hasMetrics,
    hasTraffic: traffic !== undefined,
    hasPrometheus: settings.hasPrometheus,
  });
  const scalingLabels = Object.values(SCALING_LABELS).filter((spec) => reader.says(spec));
  const asksToScale = scalingLabels.length > 0;
  const placeLength = path === "" ? 0 : path.length + 1;
  const job = readJob(labels, reader, {
    isBatch: settings.isBatch === true,
    hasErrors: () => diagnostics.errors.some((one) => isJobLabel(one.path.slice(placeLength))),
  });
  for (const spec of job === undefined ? [] : scalingLabels) {
    reader.error(reader.written(spec), "has no meaning on a job, which has tasks and no replicas");
  }
  const usable = diagnostics.errors.length === 0;
  if (asksToScale && (!asksForRule(reader) || (usable && policy === undefined))) {
    diagnostics.error({ path }, `expected a rule to scale by, as ${LABELS.maxCpu.key}: "70"; got none`);
  }
  if (policy !== undefined && usable) warnOfFlapping(policy, reader);
  return {
    ...(policy !== undefined && usable ? { scaling: policy } : {}),
    ...(probe === undefined ? {} : { probe }),
    ...(metrics === undefined ? {} : { metrics }),
    ...(deploy === undefined ? {} : { deploy }),
    ...(alerts === undefined ? {} : { alerts }),
    ...(traffic === undefined ? {} : { traffic }),
    ...(job === undefined ? {} : { job }),
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
  readScaling(reader, {
    resources: { reservedCores: 1, reservedMemoryBytes: 1 },
    hasMetrics: true,
    hasTraffic: true,
  });
  return diagnostics.errors;
}

function asLabels(defaults: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(defaults).map(([name, text]) => [SCALING_PREFIX + name, text]));
}

function reportUnknown(labels: Readonly<Record<string, string>>, reader: LabelReader): void {
  const specs: readonly LabelSpec<unknown>[] = Object.values(LABELS);
  const byNumber = Object.keys(labels).filter(isTrafficPortLabel);
  const known = new Set([...specs.flatMap((spec) => [spec.key, ...spec.aliases]), ...byNumber]);
  for (const { key, severity, message } of unknownLabels(Object.keys(labels), known, BUSINESS_PREFIX)) {
    if (severity === "error") reader.error(key, message);
    else reader.warning(key, message);
  }
}
