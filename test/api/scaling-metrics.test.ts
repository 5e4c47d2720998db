import assert from "node:assert/strict";
import { test } from "node:test";
import { DaemonMetrics } from "../../api/metrics.ts";
import type { ServiceView } from "../../core/wire.ts";

const WEB: ServiceView = {
  id: "shop_web",
  project: "shop",
  name: "web",
  replicas: { desired: 3, running: 3, ready: 3, min: 1, max: 3 },
  load: { cpuRatio: 0.9 },
  autoscale: { maxCpuRatio: 0.7, step: 1, dryRun: false, mode: "live" },
  businessLabels: {},
  lastDecision: {
    service: "shop_web",
    atMs: 0,
    from: 3,
    wanted: 4,
    to: 3,
    sentence: "stays at 3",
    verdicts: [
      {
        metric: "cpu",
        wants: "out",
        asksFor: 4,
        level: 0.9,
        max: 0.7,
        min: 0.2,
        replicasRead: 3,
        replicasServing: 3,
      },
      { metric: "latency", wants: "unknown", max: 250, replicasRead: 0, replicasServing: 3 },
    ],
    limits: [{ limit: "bounds", from: 4, to: 3 }],
  },
};

function metricsOf(services: () => readonly ServiceView[]): DaemonMetrics {
  return new DaemonMetrics({
    services,
    collector: () => undefined,
    jobs: () => [],
    traffic: () => [],
    holds: () => [],
  });
}

async function seriesOf(metrics: DaemonMetrics, families: string): Promise<string[]> {
  const { text } = await metrics.render();
  return text.split("\n").filter((line) => new RegExp(`^flyball_(?:${families})\\{`).test(line));
}

test("what the rules read, where their thresholds are and what they ask for is told, in seconds and ratios", async () => {
  const metrics = metricsOf(() => [WEB]);
  assert.deepEqual(await seriesOf(metrics, "rule_level|rule_threshold|rule_replicas_asked"), [
    'flyball_rule_level{service="shop_web",metric="cpu"} 0.9',
    'flyball_rule_threshold{service="shop_web",metric="cpu",bound="max"} 0.7',
    'flyball_rule_threshold{service="shop_web",metric="cpu",bound="min"} 0.2',
    'flyball_rule_threshold{service="shop_web",metric="latency",bound="max"} 0.25',
    'flyball_rule_replicas_asked{service="shop_web",metric="cpu"} 4',
  ]);
});

test("what was wanted, which limit changed it and what becomes of it is told", async () => {
  const metrics = metricsOf(() => [WEB]);
  assert.deepEqual(
    await seriesOf(
      metrics,
      "service_replicas_wanted|service_limit|service_autoscale_mode|service_load_ratio",
    ),
    [
      'flyball_service_load_ratio{service="shop_web",resource="cpu"} 0.9',
      'flyball_service_replicas_wanted{service="shop_web"} 4',
      'flyball_service_limit{service="shop_web",limit="bounds"} 1',
      'flyball_service_autoscale_mode{service="shop_web",mode="live"} 1',
      'flyball_service_autoscale_mode{service="shop_web",mode="shadow"} 0',
      'flyball_service_autoscale_mode{service="shop_web",mode="paused"} 0',
    ],
  );
});

test("a service that is gone, and a limit that has passed, are not told of any more", async () => {
  let services: ServiceView[] = [WEB];
  const metrics = metricsOf(() => services);
  assert.equal((await seriesOf(metrics, "service_limit")).length, 1);
  const { lastDecision, ...rest } = WEB;
  assert.ok(lastDecision !== undefined);
  services = [{ ...rest, lastDecision: { ...lastDecision, limits: [] } }];
  assert.deepEqual(await seriesOf(metrics, "service_limit"), []);
  services = [];
  assert.deepEqual(await seriesOf(metrics, "rule_\\w+|service_\\w+"), []);
});
