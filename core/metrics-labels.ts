import { type Diagnostic, Diagnostics } from "./diagnostics.ts";
import { LabelReader, label } from "./label-reader.ts";
import { readMetricsPath, readPort } from "./label-values.ts";
import type { MetricsRequest } from "./types.ts";

/** Where a replica exposes metrics of its own. The collector reads these alone, and loads nothing for the others. */
export const METRICS_LABELS = {
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

const DEFAULT_METRICS_PATH = "/metrics";

/** What the labels of one replica ask for that it exposes itself, by the same rules. */
export function decodeMetricsLabels(
  labels: Readonly<Record<string, string>>,
  path: string,
): { readonly metrics?: MetricsRequest; readonly diagnostics: readonly Diagnostic[] } {
  const diagnostics = new Diagnostics();
  const metrics = readMetrics(new LabelReader(labels, path, diagnostics));
  return { ...(metrics === undefined ? {} : { metrics }), diagnostics: diagnostics.all };
}

export function readMetrics(reader: LabelReader): MetricsRequest | undefined {
  const port = reader.get(METRICS_LABELS.metricsPort);
  const path = reader.get(METRICS_LABELS.metricsPath);
  if (port !== undefined) return { port, path: path ?? DEFAULT_METRICS_PATH };
  if (path !== undefined && !reader.has(METRICS_LABELS.metricsPort)) {
    reader.error(METRICS_LABELS.metricsPath.key, `needs ${METRICS_LABELS.metricsPort.key} beside it`);
  }
  return undefined;
}
