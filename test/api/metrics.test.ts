import assert from "node:assert/strict";
import { test } from "node:test";
import { DaemonMetrics } from "../../api/metrics.ts";
import type { Hold } from "../../core/types.ts";
import type { ServiceView } from "../../core/wire.ts";

function view(id: string, changes: Partial<ServiceView> = {}): ServiceView {
  return {
    id,
    project: "shop",
    name: id.replace("shop_", ""),
    replicas: { desired: 3, running: 2, ready: 1 },
    load: {},
    businessLabels: {},
    ...changes,
  };
}

async function linesOf(metrics: DaemonMetrics, name: string): Promise<string[]> {
  const { text } = await metrics.render();
  return text.split("\n").filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
}

test("a service's counts and bounds are told, and no longer once it is gone", async () => {
  let services = [view("shop_web", { replicas: { desired: 3, running: 2, ready: 1, min: 1, max: 6 } })];
  const metrics = new DaemonMetrics({
    services: () => services,
    collector: () => undefined,
    jobs: () => [],
    traffic: () => [],
    holds: () => [],
  });
  assert.deepEqual(await linesOf(metrics, "flyball_service_replicas"), [
    'flyball_service_replicas{service="shop_web",state="desired"} 3',
    'flyball_service_replicas{service="shop_web",state="running"} 2',
    'flyball_service_replicas{service="shop_web",state="ready"} 1',
  ]);
  assert.deepEqual(await linesOf(metrics, "flyball_service_replicas_bound"), [
    'flyball_service_replicas_bound{service="shop_web",bound="min"} 1',
    'flyball_service_replicas_bound{service="shop_web",bound="max"} 6',
  ]);
  services = [];
  assert.deepEqual(await linesOf(metrics, "flyball_service_replicas"), []);
  assert.deepEqual(await linesOf(metrics, "flyball_service_replicas_bound"), []);
});

test("business labels are labels of the service, and follow it when they change", async () => {
  let services = [view("shop_web", { businessLabels: { team: "checkout" } }), view("shop_db")];
  const metrics = new DaemonMetrics({
    services: () => services,
    collector: () => undefined,
    jobs: () => [],
    traffic: () => [],
    holds: () => [],
  });
  const before = await linesOf(metrics, "flyball_service_labels");
  assert.ok(before.some((line) => line.includes('team="checkout"') && line.includes('service="shop_web"')));
  assert.ok(before.some((line) => line.includes('service="shop_db"') && !line.includes("checkout")));

  services = [view("shop_web", { businessLabels: { tier: "1" } })];
  const after = await linesOf(metrics, "flyball_service_labels");
  assert.equal(after.length, 1);
  assert.ok(after[0]?.includes('tier="1"') && !after[0].includes("team"));
});

test("a business label named service does not hide which service it is", async () => {
  const services = [view("shop_web", { businessLabels: { service: "mine" } })];
  const metrics = new DaemonMetrics({
    services: () => services,
    collector: () => undefined,
    jobs: () => [],
    traffic: () => [],
    holds: () => [],
  });
  assert.deepEqual(await linesOf(metrics, "flyball_service_labels"), [
    'flyball_service_labels{service="shop_web"} 1',
  ]);
});

test("evaluations, changes of the count and engine calls are counted", async () => {
  const metrics = new DaemonMetrics({
    services: () => [],
    collector: () => undefined,
    jobs: () => [],
    traffic: () => [],
    holds: () => [],
  });
  metrics.evaluated("shop_web", 1, 1);
  metrics.evaluated("shop_web", 1, 3);
  metrics.acted("start-replica", "done");
  assert.deepEqual(await linesOf(metrics, "flyball_evaluations_total"), [
    'flyball_evaluations_total{service="shop_web"} 2',
  ]);
  assert.deepEqual(await linesOf(metrics, "flyball_scalings_total"), [
    'flyball_scalings_total{service="shop_web",direction="out"} 1',
    'flyball_scalings_total{service="shop_web",direction="in"} 0',
  ]);
  assert.deepEqual(await linesOf(metrics, "flyball_actions_total"), [
    'flyball_actions_total{kind="start-replica",outcome="done"} 1',
  ]);
});

test("the collector's restarts, drops and clock are told, and the clock not before it was measured", async () => {
  let clockOffset: { offsetMs: number; roundTripMs: number } | undefined;
  const metrics = new DaemonMetrics({
    services: () => [],
    jobs: () => [],
    traffic: () => [],
    holds: () => [],
    collector: () => ({ restarts: 2, droppedBatches: 3, clockOffset }),
  });
  assert.deepEqual(await linesOf(metrics, "flyball_collector_restarts"), ["flyball_collector_restarts 2"]);
  assert.deepEqual(await linesOf(metrics, "flyball_collector_dropped_batches"), [
    "flyball_collector_dropped_batches 3",
  ]);
  assert.deepEqual(await linesOf(metrics, "flyball_collector_clock_offset_seconds"), []);
  clockOffset = { offsetMs: -1_500, roundTripMs: 4 };
  assert.deepEqual(await linesOf(metrics, "flyball_collector_clock_offset_seconds"), [
    "flyball_collector_clock_offset_seconds -1.5",
  ]);
  assert.deepEqual(await linesOf(metrics, "flyball_collector_round_trip_seconds"), [
    "flyball_collector_round_trip_seconds 0.004",
  ]);
});

test("the runs of jobs are counted by how they ended, and a job's last success and next due instant are told", async () => {
  const job = { service: "shop_backup", project: "shop", name: "backup", due: "0 3 * * *", active: [] };
  const jobs = [{ ...job, nextDueAtMs: 1_800_000_000_000, lastSuccessAtMs: 1_799_900_000_500 }];
  const metrics = new DaemonMetrics({
    services: () => [],
    collector: () => undefined,
    jobs: () => jobs,
    traffic: () => [],
    holds: () => [],
  });
  metrics.jobs.over("shop_backup", "succeeded");
  metrics.jobs.over("shop_backup", "missed");
  metrics.jobs.over("shop_backup", "missed");
  assert.deepEqual(await linesOf(metrics, "flyball_job_runs_total"), [
    'flyball_job_runs_total{service="shop_backup",outcome="succeeded"} 1',
    'flyball_job_runs_total{service="shop_backup",outcome="missed"} 2',
  ]);
  assert.deepEqual(await linesOf(metrics, "flyball_job_last_success_timestamp_seconds"), [
    'flyball_job_last_success_timestamp_seconds{service="shop_backup"} 1799900000.5',
  ]);
  assert.deepEqual(await linesOf(metrics, "flyball_job_next_due_timestamp_seconds"), [
    'flyball_job_next_due_timestamp_seconds{service="shop_backup"} 1800000000',
  ]);
  jobs.pop();
  assert.deepEqual(await linesOf(metrics, "flyball_job_active_runs"), []);
});

test("what the balancer counted is told for services, and not for each replica", async () => {
  const reading = { service: "shop_web", readAtMs: 0, open: 2, queued: 1, requestsTotal: 10, errorsTotal: 3 };
  const readings = [
    { ...reading, latencyMs: 250 },
    { ...reading, replica: "web-1" },
  ];
  const metrics = new DaemonMetrics({
    services: () => [],
    collector: () => undefined,
    jobs: () => [],
    traffic: () => readings,
    holds: () => [],
  });
  for (const [name, value] of Object.entries({
    requests_total: 10,
    errors_total: 3,
    open: 2,
    queued: 1,
    latency_p95_seconds: 0.25,
  })) {
    const line = `flyball_traffic_${name}{service="shop_web"} ${value}`;
    assert.deepEqual(await linesOf(metrics, `flyball_traffic_${name}`), [line]);
  }
  readings.length = 0;
  assert.deepEqual(await linesOf(metrics, "flyball_traffic_requests_total"), []);
});

test("what is held back of a service is counted by why, and no longer told once it goes on", async () => {
  const holds: Hold[] = [
    { service: "shop_web", slot: 1, kind: "crash-loop", reason: "its replica ends again and again" },
    { service: "shop_web", slot: 2, kind: "crash-loop", reason: "its replica ends again and again" },
    { service: "shop_db", reason: "nobody knows" },
  ];
  const metrics = new DaemonMetrics({
    services: () => [],
    collector: () => undefined,
    jobs: () => [],
    traffic: () => [],
    holds: () => holds,
  });
  assert.deepEqual(await linesOf(metrics, "flyball_service_holds"), [
    'flyball_service_holds{service="shop_web",reason="crash-loop"} 2',
    'flyball_service_holds{service="shop_db",reason="other"} 1',
  ]);
  holds.length = 0;
  assert.deepEqual(await linesOf(metrics, "flyball_service_holds"), []);
});
