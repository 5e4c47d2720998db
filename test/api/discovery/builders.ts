import type { ObservedReplica, ObservedState, ReplicaState, Service } from "../../../core/types.ts";

export const NOW_MS = 1_800_000_000_000;

export function service(name: string, changes: Partial<Service> = {}): Service {
  return {
    id: `shop_${name}`,
    project: "shop",
    name,
    template: {
      environment: {},
      labels: {},
      ports: [],
      exposedPorts: [],
      mounts: [],
      networks: [],
      restart: { condition: "any", delayMs: 1_000 },
      stopGraceMs: 10_000,
      resources: {},
      container: {},
    },
    templateHash: "h1",
    initialReplicas: 1,
    businessLabels: {},
    dependsOn: [],
    ...changes,
  };
}

/** The replica in that slot, which answers at port 28000 and the slot; it started when the test began. */
export function replica(
  name: string,
  slot: number,
  state: ReplicaState = "running",
  changes: Partial<ObservedReplica> = {},
): ObservedReplica {
  return {
    id: `${name}-${slot}`,
    project: "shop",
    service: `shop_${name}`,
    slot,
    name: `shop-${name}-${slot}`,
    state,
    origin: "flyball",
    startedAtMs: NOW_MS,
    endpoints: [{ targetPort: 8080, host: "127.0.0.1", port: 28_000 + slot }],
    notEnforced: [],
    ...changes,
  };
}

export function observed(
  replicas: readonly ObservedReplica[],
  changes: Partial<ObservedState> = {},
): ObservedState {
  return { atMs: NOW_MS, complete: true, replicas, networks: [], volumes: [], images: [], ...changes };
}
