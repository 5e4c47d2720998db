import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Prometheus, prometheusPrograms, skipWithoutPrometheus } from "../lab/prometheus.ts";
import { eventually, FlyballHouse } from "./flyball-daemon.ts";

const programs = prometheusPrograms();

/** Says in its metrics which replica it is, at the one port that it has. */
const SERVER = [
  'const page = "till_open{slot=\\"" + process.env.FLYBALL_SLOT + "\\"} 1\\n";',
  'require("node:http").createServer((request, response) => response.writeHead(',
  'request.url === "/internal/metrics" ? 200 : 404, { "content-type": "text/plain; version=0.0.4" }',
  ").end(page)).listen(process.env.PORT);",
].join(" ");

/** Asks the daemon what there is to scrape, and takes over what it says of it. */
function discovering(address: string): string {
  return JSON.stringify({
    global: { scrape_interval: "1s", scrape_timeout: "1s" },
    scrape_configs: [
      {
        job_name: "flyball",
        http_sd_configs: [{ url: `${address}/v1/sd/prometheus`, refresh_interval: "1s" }],
        relabel_configs: [
          { source_labels: ["__meta_flyball_service_id"], target_label: "service" },
          { source_labels: ["__meta_flyball_slot"], target_label: "replica" },
        ],
      },
    ],
  });
}

describe("a real Prometheus that asks the daemon what to scrape", {
  skip: skipWithoutPrometheus(programs),
  concurrency: true,
}, () => {
  for (const program of programs) {
    test(`${program.name} follows a service that scales, and loses nothing while the daemon is away`, async (t) => {
      const house = await FlyballHouse.open(t);
      const file = house.compose(`  web:
    image: shop/web
    command: ${JSON.stringify([process.execPath, "-e", SERVER])}
    ports: ["8080"]
    stop_grace_period: 2s
    labels:
      metrics.port: "8080"
      metrics.path: /internal/metrics
      business.team: checkout
      business.job: not-this
  cache:
    image: shop/cache
    command: ["sleep", "1000"]
    stop_grace_period: 2s
`);
      await house.serve();
      await house.must("up", "-f", file);
      const service = house.serviceId();
      const scale = (replicas: number) => house.client.scale(service, { replicas });
      await scale(2);
      await using server = await Prometheus.start(program, discovering(house.client.address));
      /** The slots that it scrapes now, each by the labels that it was given. */
      const scraped = async () => {
        const up = await server.query(`up{job="flyball",service="${service}",team="checkout"} == 1`);
        return up.map(({ labels }) => labels["replica"]).sort();
      };
      const ready = async () => {
        const { replicaList } = await house.client.service(service);
        return replicaList.filter(({ state }) => state === "running").map(({ slot }) => String(slot));
      };
      const untilScrapes = (count: number) =>
        eventually(
          `it scrapes ${count}`,
          async () => {
            const [slots, expected] = await Promise.all([scraped(), ready()]);
            return slots.length === count && slots.join() === expected.sort().join();
          },
          { about: () => server.log.split("\n").slice(-20).join("\n") },
        );
      await untilScrapes(2);
      await scale(4);
      await untilScrapes(4);
      const pages = await server.query('till_open{job="flyball",team="checkout"}');
      const named = pages.map(
        ({ labels }) => `${labels["replica"]} ${labels["exported_slot"] ?? labels["slot"]}`,
      );
      assert.deepEqual(named.sort(), ["1 1", "2 2", "3 3", "4 4"]);
      await scale(1);
      await untilScrapes(1);

      await house.untilHas(1);
      const left = await scraped();
      await house.kill();
      const refreshes = () => server.counted("prometheus_sd_http_failures_total");
      await eventually("it asks in vain", async () => (await refreshes()) >= 2);
      assert.deepEqual(await scraped(), left);
      await house.serve();
      await scale(2);
      await untilScrapes(2);
      await house.must("down", "-f", file);
    });
  }
});
