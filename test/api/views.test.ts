import assert from "node:assert/strict";
import { test } from "node:test";
import { type ServiceFacts, serviceDetail, serviceView } from "../../api/views.ts";
import type { ObservedReplica, Sample, Service } from "../../core/types.ts";
import { serviceDetailSchema } from "../../core/wire.ts";

const web: Service = {
  id: "shop_web",
  project: "shop",
  name: "web",
  template: {
    environment: { PASSWORD: "hunter2" },
    labels: {},
    ports: [],
    exposedPorts: [],
    mounts: [],
    networks: [],
    restart: { condition: "any", delayMs: 1_000 },
    stopGraceMs: 10_000,
    resources: { limitCores: 0.5, limitMemoryBytes: 100 },
    container: {},
  },
  templateHash: "h1",
  initialReplicas: 1,
  scaling: {
    rules: [{ metric: "cpu", max: 0.7, capacity: 0.5 }],
    kind: "step",
    minReplicas: 1,
    maxReplicas: 6,
    step: 2,
    windowMs: 10_000,
    cooldownMs: 15_000,
    stabilizationMs: 300_000,
    schedule: [],
    predict: false,
    dryRun: false,
  },
  businessLabels: { team: "checkout" },
  dependsOn: [],
};

function replica(slot: number, state: ObservedReplica["state"]): ObservedReplica {
  return {
    id: `web-${slot}`,
    project: "shop",
    service: "shop_web",
    slot,
    name: `shop-web-${slot}`,
    state,
    origin: "flyball",
    templateHash: "h1",
    endpoints: [{ targetPort: 8080, host: "127.0.0.1", port: 20_000 + slot }],
    notEnforced: [],
  };
}

function facts(
  readings: Readonly<Record<string, Partial<Sample>>>,
  changes: Partial<ServiceFacts> = {},
): ServiceFacts {
  return {
    service: web,
    desired: 3,
    replicas: [replica(2, "running"), replica(1, "running"), replica(3, "starting"), replica(4, "stopping")],
    newest: ({ id }) =>
      readings[id] === undefined ? undefined : { replica: id, readAtMs: 1_000, ...readings[id] },
    lastDecision: undefined,
    holds: [],
    ...changes,
  };
}

test("a replica that is stopping no longer counts as running, and only ready ones as ready", () => {
  assert.deepEqual(serviceView(facts({})).replicas, { desired: 3, running: 3, ready: 2, min: 1, max: 6 });
});

test("load is the mean of the ready replicas that gave a reading, against the limit", () => {
  const view = serviceView(
    facts({
      "web-1": { cpuCores: 0.4, memoryWorkingSetBytes: 50, readAtMs: 2_000 },
      "web-2": { cpuCores: 0.1, readAtMs: 3_000 },
      "web-3": { cpuCores: 9, memoryWorkingSetBytes: 900 },
    }),
  );
  assert.deepEqual(view.load, {
    cpuCores: 0.25,
    cpuRatio: 0.5,
    memoryWorkingSetBytes: 50,
    memoryRatio: 0.5,
    readAtMs: 2_000,
  });
});

test("a service nobody could read has no load, which is not a load of zero", () => {
  assert.deepEqual(serviceView(facts({})).load, {});
});

test("the detail lists replicas by slot, fits the schema, and tells nothing of the environment", () => {
  const detail = serviceDetail(facts({ "web-1": { cpuCores: 0.4 } }));
  assert.deepEqual(
    detail.replicaList.map(({ slot, cpuCores }) => [slot, cpuCores]),
    [
      [1, 0.4],
      [2, undefined],
      [3, undefined],
      [4, undefined],
    ],
  );
  assert.deepEqual(serviceDetailSchema.strict().parse(detail), detail);
  assert.ok(!JSON.stringify(detail).includes("hunter2"));
});
