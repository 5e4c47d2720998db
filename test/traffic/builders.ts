import type {
  ObservedReplica,
  ScalingPolicy,
  Service,
  TrafficDoor,
  TrafficPolicy,
} from "../../core/types.ts";
import { buildTable, type TableInput, type TrafficTable } from "../../traffic/table.ts";

export const HTTP = { host: "127.0.0.1", port: 8080 };

export function door(more: Partial<TrafficDoor> = {}): TrafficDoor {
  return { mode: "http", port: 80, domains: [], path: "/", ...more };
}

export function service(
  id: string,
  doors: readonly TrafficDoor[] = [door()],
  more: Partial<TrafficPolicy> = {},
): Service {
  return {
    id,
    project: "shop",
    name: id,
    template: {
      environment: {},
      labels: {},
      ports: [],
      exposedPorts: [],
      mounts: [],
      networks: [],
      restart: { condition: "any", delayMs: 0 },
      stopGraceMs: 0,
      resources: {},
      container: {},
    },
    templateHash: "t",
    initialReplicas: 1,
    businessLabels: {},
    dependsOn: [],
    traffic: { doors, sticky: false, timeoutMs: 60_000, ...more },
  };
}

/** Of a service that nothing scales, but that has no replica while nobody uses it. */
export function maySleep(idleMs: number): ScalingPolicy {
  return {
    rules: [],
    kind: "step",
    minReplicas: 0,
    idleMs,
    maxReplicas: 1,
    step: 1,
    windowMs: 0,
    cooldownMs: 0,
    schedule: [],
    predict: false,
    dryRun: false,
  };
}

export function replica(id: string, of: string, more: Partial<ObservedReplica> = {}): ObservedReplica {
  return {
    id,
    project: "shop",
    service: of,
    slot: 1,
    name: id,
    state: "running",
    origin: "flyball",
    endpoints: [{ targetPort: 80, host: "10.0.0.1", port: 80 }],
    notEnforced: [],
    ...more,
  };
}

export function table(input: Partial<TableInput>): TrafficTable {
  return buildTable({
    services: [],
    replicas: [],
    complete: true,
    draining: new Set(),
    http: HTTP,
    taken: new Map(),
    sinceMs: new Map(),
    owners: {},
    nowMs: 1_000_000,
    ...input,
  });
}
