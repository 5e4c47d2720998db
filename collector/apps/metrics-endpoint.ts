import { decodeMetricsLabels } from "../../core/metrics-labels.ts";
import type { Discovered } from "../discover/discovered.ts";

/** Where a replica exposes metrics of its own, as seen from here. */
export interface MetricsEndpoint {
  readonly host: string;
  readonly port: number;
  readonly path: string;
}

/** `missing`: its labels ask for it, and why it cannot be. Undefined: nobody asked. */
export function metricsEndpointOf(
  container: Discovered,
): { readonly endpoint: MetricsEndpoint } | { readonly missing: string } | undefined {
  const { metrics, diagnostics } = decodeMetricsLabels(container.labels, "labels");
  if (metrics === undefined) {
    const [problem] = diagnostics;
    return problem === undefined ? undefined : { missing: `${problem.path} ${problem.message}` };
  }
  const { port, path } = metrics;
  const mapped = container.endpoints?.find(({ targetPort }) => targetPort === port);
  if (mapped !== undefined) return { endpoint: { host: mapped.host, port: mapped.port, path } };
  if (container.address !== undefined) return { endpoint: { host: container.address, port, path } };
  return { missing: `nothing is known that leads to its port ${port} from here` };
}
