import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type LabEngine, labEngines, skipWithoutEngine } from "../lab/engines.ts";
import { freePort } from "../lab/free-port.ts";
import { eventually, FlyballHouse } from "./flyball-daemon.ts";

const engines = await labEngines();

/** Works all the time, on as much CPU as it is given, and says of itself what any application would. */
const BUSY = `
    image: flyball/busybox:lab
    command: ["sh", "-c", "while :; do :; done"]
    stop_grace_period: 0s
    deploy:
      resources: { limits: { cpus: "0.1" } }
    labels:
      autoscale.max_cpu: "95"
      autoscale.min_cpu: "60"
      autoscale.max: "3"
      autoscale.window: 4s
      autoscale.cooldown: 2s
      autoscale.stabilization: 4s
      business.team: checkout
`;

function collectorPid(house: FlyballHouse): number | undefined {
  return house.processes().find((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("collector/main.ts");
    } catch {
      return false;
    }
  });
}

/** The page of the collector; undefined while nobody answers. */
async function page(address: string): Promise<string | undefined> {
  try {
    return await (await fetch(`http://${address}/metrics`)).text();
  } catch {
    return undefined;
  }
}

const seriesOf = (text: string | undefined, name: string): string[] =>
  (text ?? "").split("\n").filter((line) => line.startsWith(`${name}{`) && line.includes('team="checkout"'));

async function open(t: TestContext, lab?: LabEngine) {
  const metrics = `127.0.0.1:${await freePort()}`;
  const house = await FlyballHouse.open(t, lab, { FLYBALL_METRICS_LISTEN: metrics });
  await house.serve();
  await house.must("up", "-f", house.compose(`  web:${BUSY}`));
  return { house, metrics };
}

describe("a collector that is killed under load", () => {
  test("is back within a second, the scaler holds meanwhile, and no rule acts on the gap", async (t) => {
    const { house } = await open(t);
    const service = house.serviceId();
    // Full use of one replica wants more of them; at three it can grow no further.
    await house.untilHas(3);
    await eventually("it is decided with samples of all", async () => {
      const [newest] = await house.client.decisions(service, { limit: 1, changesOnly: false });
      return newest?.verdicts[0]?.replicasRead === 3;
    });
    const changes = async () =>
      (await house.client.decisions(service, { limit: 50, changesOnly: true })).length;
    const before = await changes();
    const tookMs: number[] = [];
    for (let kill = 0; kill < 3; kill += 1) {
      const killed = collectorPid(house);
      assert.ok(killed !== undefined);
      process.kill(killed, "SIGKILL");
      const killedAtMs = performance.now();
      const back = await eventually("another collector runs", () => {
        const pid = collectorPid(house);
        return pid !== undefined && pid !== killed && pid;
      });
      tookMs.push(Math.round(performance.now() - killedAtMs));
      assert.notEqual(back, killed);
      await eventually("it is read again", async () => (await house.readiness())?.collector === "running");
      await sleep(2_000);
    }
    t.diagnostic(`another process after ${tookMs.join(", ")} ms`);
    assert.equal(await changes(), before, house.output);
    assert.deepEqual(await house.counts(), { desired: 3, ready: 3 });
    const metrics = await (await fetch(`${house.client.address}/metrics`)).text();
    assert.match(metrics, /^flyball_collector_restarts 3$/mu);
    const offset = Number(/^flyball_collector_clock_offset_seconds (.+)$/mu.exec(metrics)?.[1]);
    assert.ok(Math.abs(offset) < 1, `the clock of this very machine is ${offset} s off`);
  });
});

describe("the page of a daemon's collector", () => {
  const places: readonly (readonly [string, LabEngine | undefined])[] = [
    ["the process engine", undefined],
    ...engines.map((lab) => [`Docker ${lab.name}`, lab] as const),
  ];
  for (const [name, lab] of places) {
    test(`shows the replicas of ${name} by service and business label, and loses those that go`, async (t) => {
      const { house, metrics } = await open(t, lab);
      await house.untilHas(3);
      const series = await eventually("three replicas use CPU", async () => {
        const lines = seriesOf(await page(metrics), "container_cpu_usage_seconds_total");
        return lines.length === 3 && lines;
      });
      for (const line of series) {
        assert.ok(line.includes(`container_label_com_docker_compose_project="${house.project}"`), line);
        assert.ok(line.includes('container_label_com_docker_compose_service="web"'), line);
      }
      const names = new Set(series.map((line) => /name="([^"]+)"/u.exec(line)?.[1]));
      assert.equal(names.size, 3);
      await house.must("down", "-f", `${house.directory}/compose.yaml`);
      await eventually("none is shown", async () => {
        const text = await page(metrics);
        return text !== undefined && seriesOf(text, "container_last_seen").length === 0;
      });
    });
  }
  if (engines.length === 0) {
    const skip = skipWithoutEngine(engines);
    test("of a Docker engine", { skip }, () => {});
  }
});
