import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { RemoteWrite } from "../../collector/expose/remote-write/remote-write.ts";
import { createLog } from "../../core/log.ts";
import { FlyballAgent } from "../lab/agent.ts";
import { labEngines, skipWithoutEngine } from "../lab/engines.ts";
import { Prometheus, prometheusPrograms, skipWithoutPrometheus } from "../lab/prometheus.ts";

const programs = prometheusPrograms();
const engines = await labEngines();
/** The first page goes out after a quarter of a minute. */
const PATIENCE_MS = 40_000;

describe("remote write to a real Prometheus", { skip: skipWithoutPrometheus(programs) }, () => {
  for (const program of programs) {
    test(`${program.name} takes every sample, in order, and sees a series end at once`, async () => {
      await using server = await Prometheus.start(program, "scrape_configs: []\n", [
        "--web.enable-remote-write-receiver",
      ]);
      let tick = 0;
      const containers = new Set(["web-1", "web-2"]);
      const logged: string[] = [];
      await using remote = new RemoteWrite({
        url: `${server.url}/api/v1/write`,
        intervalMs: 3_600_000,
        page: () => {
          tick += 1;
          const lines = [...containers].map(
            (name) => `container_ticks_total{name="${name}",container_label_team="käse \\"x\\""} ${tick}`,
          );
          // More than one request holds.
          const others = Array.from({ length: 3_000 }, (_, index) => `other{index="${index}"} ${index}`);
          return {
            text: `# TYPE container_ticks_total counter\n${[...lines, ...others].join("\n")}\n`,
            atMs: Date.now(),
          };
        },
        version: "0",
        log: createLog("info", { write: (line: string) => logged.push(line) }),
      });
      const push = async () => {
        await remote.push();
        while (remote.figures.waitingBytes > 0) await sleep(10);
        await sleep(100);
      };
      for (let count = 0; count < 5; count += 1) await push();
      containers.delete("web-1");
      containers.add("web-3");
      await push();
      await push();

      assert.deepEqual(remote.figures, {
        // Each page, and the end of web-1.
        sentSamples: 7 * 3_002 + 1,
        droppedSamples: 0,
        waitingBytes: 0,
      });
      const now = await server.query("container_ticks_total");
      assert.deepEqual(now.map(({ labels, points }) => [labels["name"], points[0]?.value]).sort(), [
        ["web-2", 7],
        ["web-3", 7],
      ]);
      assert.equal(now[0]?.labels["container_label_team"], 'käse "x"');
      assert.equal((await server.query("count(other)"))[0]?.points[0]?.value, 3_000);
      const counted = await server.query('count_over_time(container_ticks_total{name="web-2"}[1m])');
      assert.equal(counted[0]?.points[0]?.value, 7);
      assert.deepEqual(logged, []);
      assert.doesNotMatch(server.log, /out of order|duplicate|level=(?:warn|error)/i);
    });
  }

  test("from the collector itself brings what it reads", { skip: skipWithoutEngine(engines) }, async () => {
    const [program] = programs;
    const [engine] = engines;
    assert.ok(program !== undefined && engine !== undefined);
    await using server = await Prometheus.start(program, "scrape_configs: []\n", [
      "--web.enable-remote-write-receiver",
    ]);
    await using agent = await FlyballAgent.start(engine.socketPath, {
      remoteWrite: { url: `${server.url}/api/v1/write` },
    });
    const deadlineMs = performance.now() + PATIENCE_MS;
    let cores: number | undefined;
    while (cores === undefined && performance.now() < deadlineMs) {
      await sleep(500);
      cores = (await server.query("machine_cpu_cores"))[0]?.points[0]?.value;
    }
    assert.equal(cores, availableParallelism(), agent.said);
    assert.match(await agent.page(), /^flyball_collector_remote_write_dropped_samples_total 0$/m);
    assert.doesNotMatch(server.log, /out of order|duplicate|level=(?:warn|error)/i);
  });
});
