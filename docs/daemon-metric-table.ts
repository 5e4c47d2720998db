import { DaemonMetrics } from "../api/metrics.ts";
import { code, table } from "./markdown.ts";

export function daemonMetricTable(): string {
  const metrics = new DaemonMetrics({
    services: () => [],
    collector: () => undefined,
    jobs: () => [],
    traffic: () => [],
    holds: () => [],
  });
  const rows = metrics
    .families()
    .map(({ name, type, labels, help }) => [code(name), type, labels.map(code).join(" "), help]);
  return table(["metric", "type", "labels", "meaning"], rows);
}
