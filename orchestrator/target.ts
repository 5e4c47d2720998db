import { BUSINESS_PREFIX } from "../core/business-labels.ts";
import { METRICS_LABELS } from "../core/metrics-labels.ts";
import { SCALING_LABELS } from "../core/scaling-labels.ts";
import type { EngineKind, ObservedReplica, Rule, Service, Target } from "../core/types.ts";
import { COMPOSE_LABELS } from "./engines/docker/labels.ts";

/** The list of all replicas must fit into one message, whatever somebody wrote into a label. */
const LONGEST_LABEL = 256;

/** A replica as the collector is to read and to show it. */
export function targetOf(replica: ObservedReplica, service: Service | undefined, engine: EngineKind): Target {
  const { id, pid = 0, name, project, slot, state, createdAtMs, startedAtMs, endpoints } = replica;
  const { template, businessLabels = {}, metrics, scaling } = service ?? {};
  const { limitCores: cores, limitMemoryBytes: memoryBytes } = template?.resources ?? {};
  const labels = {
    [COMPOSE_LABELS.project]: project,
    ...(service === undefined ? {} : { [COMPOSE_LABELS.service]: service.name }),
    [COMPOSE_LABELS.number]: String(slot),
    ...Object.fromEntries(
      Object.entries(businessLabels).map(([label, value]) => [`${BUSINESS_PREFIX}${label}`, cut(value)]),
    ),
    ...(metrics === undefined
      ? {}
      : {
          [METRICS_LABELS.metricsPort.key]: String(metrics.port),
          [METRICS_LABELS.metricsPath.key]: metrics.path,
          ...Object.fromEntries(trafficLabels(scaling?.rules ?? [])),
        }),
  };
  return {
    replica: id,
    service: replica.service,
    pid,
    kind: engine === "docker" ? "container" : "process",
    name,
    ...(template?.image === undefined ? {} : { image: template.image }),
    labels,
    ...(createdAtMs === undefined ? {} : { createdAtMs }),
    ...(startedAtMs === undefined ? {} : { startedAtMs }),
    ...(state === "unhealthy" ? { health: state } : {}),
    limits: {
      ...(cores === undefined ? {} : { cores }),
      ...(memoryBytes === undefined ? {} : { memoryBytes }),
    },
    endpoints,
  };
}

/** Whoever scales by what the replicas say of themselves has to ask them more often. */
function trafficLabels(rules: readonly Rule[]): [label: string, threshold: string][] {
  return rules.flatMap(({ metric, max }) => {
    if (metric === "rps") return [[SCALING_LABELS.maxRps.key, String(max)]];
    return metric === "latency" ? [[SCALING_LABELS.maxLatency.key, `${max}ms`]] : [];
  });
}

function cut(text: string): string {
  return text.slice(0, LONGEST_LABEL);
}
