import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import Docker from "dockerode";
import { type Collector, startCollector } from "../../collector/supervisor.ts";
import { systemClock } from "../../core/clock.ts";
import type { Sample, Target } from "../../core/types.ts";
import { eventually, startChild } from "../collector/busy-child.ts";
import { LAB_IMAGE, labEngines, skipWithoutEngine } from "../lab/engines.ts";

const engines = await labEngines();

const BOUNDS = [0.05, 0.1, 1, 2.5];
/** Of its requests 80 in 100 are answered at once, the others after 150 ms. */
const SERVICE = `
  const http = require("node:http");
  const bounds = ${JSON.stringify(BOUNDS)};
  const buckets = bounds.map(() => 0);
  let [count, sum, turn] = [0, 0, 0];
  const web = http.createServer((request, response) => {
    const from = performance.now();
    turn += 1;
    setTimeout(() => response.end("hello"), turn % 5 === 0 ? 150 : 0);
    response.on("finish", () => {
      const seconds = (performance.now() - from) / 1000;
      bounds.forEach((bound, index) => { if (seconds <= bound) buckets[index] += 1; });
      [count, sum] = [count + 1, sum + seconds];
    });
  });
  const metrics = http.createServer((request, response) => {
    const name = "http_request_duration_seconds";
    const lines = bounds.map((bound, index) => name + '_bucket{le="' + bound + '"} ' + buckets[index]);
    response.end(["# TYPE " + name + " histogram", ...lines, name + '_bucket{le="+Inf"} ' + count,
      name + "_sum " + sum, name + "_count " + count, ""].join("\\n"));
  });
  web.listen(0, "127.0.0.1", () => metrics.listen(0, "127.0.0.1", () => {
    console.log(web.address().port + " " + metrics.address().port);
  }));
`;

/** A real collector that reads once a second, and the samples that it has sent of each replica. */
async function collecting(targets: readonly Target[]) {
  const dataDirectory = mkdtempSync(join(tmpdir(), "flyball-traffic-"));
  const samples: Sample[] = [];
  const collector: Collector = await startCollector({
    dataDirectory,
    intervalMs: 1_000,
    clock: systemClock,
    log: { info: () => {}, warn: () => {} },
    onBatch: (batch) => samples.push(...batch.samples),
  });
  collector.setTargets(targets);
  return {
    samplesOf: (id: string) => samples.filter(({ replica }) => replica === id),
    async [Symbol.asyncDispose]() {
      await collector[Symbol.asyncDispose]();
      rmSync(dataDirectory, { recursive: true });
    },
  };
}

/** Sends so many requests per second, evenly, until it is disposed of. */
function load(port: number, perSecond: number) {
  const agent = new http.Agent({ keepAlive: true });
  const fromMs = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    for (; sent < ((performance.now() - fromMs) * perSecond) / 1_000; sent += 1) {
      http.get({ host: "127.0.0.1", port, agent }, (response) => response.resume()).on("error", () => {});
    }
  }, 5);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      agent.destroy();
    },
  };
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

describe("requests that a service answers", () => {
  test("are counted within a twentieth, and their p95 lies in its bucket, without a page of metrics", async () => {
    await using service = await startChild(SERVICE);
    const [port = 0, metricsPort = 0] = (await service.firstLine).split(" ").map(Number);
    const base = { service: "shop_web", pid: service.pid, kind: "process" } as const;
    const endpoints = [{ targetPort: 9_000, host: "127.0.0.1", port: metricsPort }];
    const labels = { "metrics.port": "9000" };
    await using collector = await collecting([
      { ...base, replica: "asked", labels: { ...labels, "autoscale.max_rps": "50" }, endpoints },
      { ...base, replica: "not-asked", labels, endpoints },
    ]);
    const known = (id: string) =>
      collector.samplesOf(id).filter(({ requestsPerSecond }) => requestsPerSecond !== undefined);
    await eventually("nothing was asked of it yet, and that is known", () => known("asked").length > 0);
    assert.deepEqual(known("asked")[0]?.requestsPerSecond, 0);
    assert.equal(known("asked")[0]?.latencyMs, undefined);

    using _load = load(port, 200);
    const before = known("asked").length;
    await eventually("samples of some seconds", () => known("asked").length >= before + 12);
    // The first two may be of before it began.
    const loaded = known("asked").slice(before + 2);
    const rate = mean(loaded.map(({ requestsPerSecond = Number.NaN }) => requestsPerSecond));
    assert.ok(rate > 190 && rate < 210, `${rate} requests per second`);
    for (const { latencyMs = Number.NaN } of loaded) {
      assert.ok(latencyMs > 100 && latencyMs <= 1_000, `p95 of ${latencyMs} ms`);
    }
    assert.deepEqual(known("not-asked"), []);
  });
});

describe("a container that is held back", { skip: skipWithoutEngine(engines) }, () => {
  for (const engine of engines) {
    test(`on engine ${engine.name}, by a limit of 0.2 cores, says so, and one that rests beside it does not`, async () => {
      const docker = new Docker({ socketPath: engine.socketPath });
      const run = async (command: string) => {
        const container = await docker.createContainer({
          Image: LAB_IMAGE,
          Cmd: ["sh", "-c", command],
          HostConfig: { NanoCpus: 200_000_000, NetworkMode: "none" },
        });
        return { container, replica: container.id, service: "lab_web", kind: "container" as const };
      };
      const made = [await run("while :; do :; done"), await run("sleep 1000")];
      try {
        const targets = await Promise.all(
          made.map(async ({ container, ...target }) => {
            await container.start();
            return { ...target, pid: (await container.inspect()).State.Pid };
          }),
        );
        await using collector = await collecting(targets);
        const ratios = () =>
          targets.map(({ replica }) =>
            collector.samplesOf(replica).flatMap(({ cpuHeldBackRatio }) => cpuHeldBackRatio ?? []),
          );
        await eventually("samples of some seconds", () => ratios().every(({ length }) => length >= 5));
        const [burning = [], resting = []] = ratios();
        assert.ok(mean(burning) > 0.5, `held back ${burning.join()}`);
        // The first seconds are of its start.
        assert.deepEqual(
          resting.slice(2),
          resting.slice(2).map(() => 0),
        );
      } finally {
        await Promise.all(made.map(({ container }) => container.remove({ force: true })));
      }
    });
  }
});
