import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import Docker from "dockerode";
import type { Discovered } from "../../collector/discover/discovered.ts";
import { EngineSource } from "../../collector/discover/engine-source.ts";
import { Host } from "../../collector/read/reader.ts";
import { Sampler } from "../../collector/sampler.ts";
import { systemClock } from "../../core/clock.ts";
import { dockerHostFor, LAB_IMAGE, type LabEngine, labEngines, skipWithoutEngine } from "../lab/engines.ts";
import { CuttableSocket } from "./cuttable-socket.ts";
import { eventually } from "./flyball-daemon.ts";

const engines = await labEngines();
const skip = skipWithoutEngine(engines);
/** Others may use the engine at the same time: only these containers are looked at. */
const MARK = "flyball.test.discovery";

/** The collector's eyes on an engine, and the engine itself to do things with. */
function watching(lab: LabEngine, dockerHost = dockerHostFor(lab)) {
  const run = `${process.pid}-${performance.now()}`;
  const docker = new Docker({ socketPath: lab.socketPath });
  const notes: string[] = [];
  const seen: Discovered[] = [];
  const host = new Host();
  const source = new EngineSource({
    dockerHost,
    host,
    clock: systemClock,
    onChange: () => seen.push(...mine()),
    note: (line) => notes.push(line),
  });
  const mine = (): Discovered[] =>
    [...source.discovery.containers.values()].filter(({ labels }) => labels[MARK] === run);
  const create = (options: Docker.ContainerCreateOptions = {}): Promise<Docker.Container> =>
    docker.createContainer({
      Image: LAB_IMAGE,
      Cmd: ["sleep", "1000"],
      ...options,
      Labels: { [MARK]: run, ...options.Labels },
      HostConfig: { NetworkMode: "none", Init: true, ...options.HostConfig },
    });
  return {
    docker,
    source,
    host,
    notes,
    mine,
    /** Each time something changed, what was known then. */
    seen,
    create,
    async [Symbol.asyncDispose]() {
      await source[Symbol.asyncDispose]();
      const left = await docker.listContainers({ all: true, filters: { label: [`${MARK}=${run}`] } });
      await Promise.all(left.map(({ Id }) => docker.getContainer(Id).remove({ force: true, v: true })));
    },
  };
}

if (skip !== false) test("containers of a real engine", { skip }, () => {});

for (const lab of engines) {
  describe(`containers of Docker ${lab.name}`, () => {
    test("are known with all that is told of them, whether they ran before or start now", async () => {
      await using on = watching(lab);
      const before = await on.create({
        name: `before-${process.pid}`,
        Labels: { "business.team": "checkout" },
      });
      await before.start();
      on.source.follow();
      await eventually("the list is whole", () => on.source.discovery.listedAtMs !== undefined);
      assert.equal(on.mine()[0]?.name, `before-${process.pid}`);

      const after = await on.create({
        Cmd: ["sh", "-c", "trap 'touch /well' USR1; while :; do sleep 0.1; done"],
        Healthcheck: { Test: ["CMD", "test", "-f", "/well"], Interval: 300_000_000 },
        HostConfig: {
          NanoCpus: 500_000_000,
          Memory: 64 * 1024 * 1024,
          NetworkMode: "bridge",
          Mounts: [{ Type: "volume", Source: "", Target: "/data" }],
        },
      });
      const startedMs = performance.now();
      await after.start();
      const found = await eventually("it is known", () => on.mine().find(({ id }) => id === after.id));
      const tookMs = performance.now() - startedMs;
      assert.ok(tookMs < 5_000, `${tookMs} ms`);
      const { State } = await after.inspect();
      assert.equal(found.pid, State.Pid);
      assert.deepEqual(
        { ...found.limits },
        {
          cpuQuotaMicroseconds: 50_000,
          cpuPeriodMicroseconds: 100_000,
          memoryBytes: 64 * 1024 * 1024,
          ...(found.limits.memorySwapBytes === undefined ? {} : { memorySwapBytes: 128 * 1024 * 1024 }),
        },
      );
      assert.equal(found.network, "own");
      assert.match(found.address ?? "", /^\d+\.\d+\.\d+\.\d+$/u);
      assert.match(found.writableLayer ?? "", /overlay2/u);
      assert.deepEqual(
        found.volumes.map(({ target }) => target),
        ["/data"],
      );

      const healthOf = () => on.mine().find(({ id }) => id === after.id)?.health;
      await eventually("it is unhealthy", () => healthOf() === "unhealthy");
      await after.kill({ signal: "USR1" });
      await eventually("it is healthy", () => healthOf() === "healthy");
      await after.rename({ name: `renamed-${process.pid}` });
      await eventually("it has its new name", () =>
        on.mine().some(({ id, name }) => id === after.id && name === `renamed-${process.pid}`),
      );
      await after.update({ NanoCpus: 250_000_000 });
      await eventually("it has its new limit", () =>
        on.mine().some(({ limits }) => limits.cpuQuotaMicroseconds === 25_000),
      );
      const oldPid = found.pid;
      await after.restart({ t: 0 });
      await eventually("it is another process", () =>
        on.mine().some(({ id, pid }) => id === after.id && pid !== oldPid),
      );
      await after.stop({ t: 0 });
      await eventually("it is gone", () => on.mine().every(({ id }) => id !== after.id));
    });

    test("that live for less than a second are counted, and those that crash are told apart by their restarts", async () => {
      await using on = watching(lab);
      on.source.follow();
      await eventually("the list is whole", () => on.source.discovery.listedAtMs !== undefined);
      const before = { ...on.source.discovery.counts };
      for (let round = 0; round < 5; round += 1) {
        const brief = await on.create({ Cmd: ["true"] });
        await brief.start();
        await brief.wait();
      }
      await eventually("all have started and ended", () => {
        const { starts, deaths } = on.source.discovery.counts;
        return starts - before.starts >= 5 && deaths - before.deaths >= 5;
      });
      const crashing = await on.create({
        Cmd: ["sh", "-c", "sleep 0.3; exit 1"],
        HostConfig: { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 3 } },
      });
      await crashing.start();
      await eventually("it was started again", () =>
        on.seen.some(({ id, restarts }) => id === crashing.id && (restarts ?? 0) >= 1),
      );
    });

    test("come and go by dozens, and in the end all is as the engine says", async () => {
      await using on = watching(lab);
      on.source.follow();
      using sampler = new Sampler({
        host: on.host,
        clock: systemClock,
        maxGapMs: 5_000,
        open: (readable) => on.source.open(readable),
      });
      await eventually("the list is whole", () => on.source.discovery.listedAtMs !== undefined);
      const churn = async (index: number): Promise<void> => {
        const container = await on.create({ Cmd: ["sleep", String(index % 3 === 0 ? 1000 : 0.2)] });
        await container.start();
        sampler.setContainers(on.mine());
        sampler.readNew();
        if (index % 3 === 1) await container.remove({ force: true });
      };
      for (let wave = 0; wave < 5; wave += 1) {
        await Promise.all(Array.from({ length: 6 }, (_, index) => churn(wave * 6 + index)));
        sampler.sample(wave);
      }
      await eventually("the ten that stay are known, and no other", () => on.mine().length === 10);
      sampler.setContainers(on.mine());
      sampler.sample(10);
      assert.equal(sampler.sample(11).samples.length, 10);
      assert.equal(sampler.measurements.size, 10);
      assert.equal(on.source.readByStats, 0);
    });

    test("stay known while the engine cannot be reached, and are looked at anew when it can", async () => {
      const directory = mkdtempSync(join(tmpdir(), "flyball-proxy-"));
      const socket = new CuttableSocket(join(directory, "engine.sock"), lab.socketPath);
      try {
        await socket.join();
        await using _socket = socket;
        await using on = watching(lab, `unix://${socket.path}`);
        const stays = await on.create();
        const ends = await on.create();
        const restarts = await on.create();
        for (const container of [stays, ends, restarts]) await container.start();
        on.source.follow();
        await eventually("all are known", () => on.mine().length === 3);
        const pidOf = (id: string) => on.mine().find((one) => one.id === id)?.pid;
        const oldPid = pidOf(restarts.id);
        await socket.cut();
        await eventually("it is missed", () => on.source.discovery.trouble !== undefined);
        await ends.remove({ force: true });
        await restarts.restart({ t: 0 });
        const comes = await on.create();
        await comes.start();
        assert.deepEqual(
          on
            .mine()
            .map(({ id }) => id)
            .sort(),
          [stays.id, ends.id, restarts.id].sort(),
        );
        const { deaths } = on.source.discovery.counts;
        await socket.join();
        await eventually("it is heard again", () => on.source.discovery.trouble === undefined);
        assert.deepEqual(
          on
            .mine()
            .map(({ id }) => id)
            .sort(),
          [stays.id, restarts.id, comes.id].sort(),
        );
        assert.notEqual(pidOf(restarts.id), oldPid);
        await eventually(
          "the deaths of the gap are counted",
          () => on.source.discovery.counts.deaths - deaths >= 2,
        );
      } finally {
        rmSync(directory, { recursive: true, force: true });
      }
    });
  });
}
