import assert from "node:assert/strict";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { get } from "node:http";
import { describe, test } from "node:test";
import Docker from "dockerode";
import type { Discovered } from "../../collector/discover/discovered.ts";
import type { Details, Measurement } from "../../collector/read/measurement.ts";
import { Host, openReader, type Reader } from "../../collector/read/reader.ts";
import { SlowLooks } from "../../collector/read/slow-looks.ts";
import { Sampler } from "../../collector/sampler.ts";
import { systemClock } from "../../core/clock.ts";
import { LAB_IMAGE, labEngines, skipWithoutEngine } from "../lab/engines.ts";

const engines = await labEngines();
const MIB = 1024 * 1024;
const MB = 1_000_000;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Running extends AsyncDisposable {
  readonly id: string;
  readonly pid: number;
  readonly address: string | undefined;
  readonly writableLayer: string | undefined;
  readonly stats: () => Promise<Docker.ContainerStats>;
}

/** A container that runs a shell's command until it is disposed of. */
async function run(docker: Docker, command: string, host: Docker.HostConfig = {}): Promise<Running> {
  const container = await docker.createContainer({
    Image: LAB_IMAGE,
    Cmd: ["sh", "-c", command],
    HostConfig: host,
  });
  try {
    await container.start();
    const { Id, State, NetworkSettings, GraphDriver } = await container.inspect();
    const networks = Object.values(NetworkSettings.Networks);
    return {
      id: Id,
      pid: State.Pid,
      address: networks[0]?.IPAddress || undefined,
      writableLayer: new Map(Object.entries(GraphDriver.Data ?? {})).get("UpperDir"),
      stats: () => container.stats({ stream: false }),
      [Symbol.asyncDispose]: () => container.remove({ force: true }),
    };
  } catch (error) {
    await container.remove({ force: true });
    throw error;
  }
}

function read({ id, pid }: Running): Reader {
  return openReader({ id, pid, kind: "container" }, new Host());
}

/** Reads until the value is as large as wanted; the last measurement. */
async function readUntil(
  reader: Reader,
  isThere: (measurement: Measurement) => boolean,
): Promise<Measurement> {
  const deadlineMs = performance.now() + 30_000;
  for (;;) {
    const measurement = reader.read();
    if (isThere(measurement)) return measurement;
    assert.ok(performance.now() < deadlineMs, JSON.stringify(measurement));
    await sleep(100);
  }
}

/** What this process holds open, by path. */
function openFiles(): string[] {
  return readdirSync("/proc/self/fd").flatMap((descriptor) => {
    try {
      return [readlinkSync(`/proc/self/fd/${descriptor}`)];
    } catch {
      // The one that listed the directory is closed again.
      return [];
    }
  });
}

function assertWithin(value: number | undefined, truth: number, ratio: number): void {
  assert.ok(value !== undefined && Math.abs(value - truth) <= truth * ratio, `${value} is not ${truth}`);
}

function download(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get(url, (response) => {
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
      });
      response.on("end", () => resolve(bytes));
      response.on("error", reject);
    }).on("error", reject);
  });
}

describe("what is read of a container", { skip: skipWithoutEngine(engines) }, () => {
  for (const engine of engines) {
    const docker = new Docker({ socketPath: engine.socketPath });
    const of = `on engine ${engine.name}`;

    test(`${of} of half a core is what the engine and the kernel say`, async () => {
      await using container = await run(docker, "while :; do :; done", {
        NanoCpus: 5e8,
        NetworkMode: "none",
      });
      using reader = read(container);
      const usedSeconds = async () => (await container.stats()).cpu_stats.cpu_usage.total_usage / 1e9;
      await sleep(500);
      const [firstBefore, first, firstAtMs] = [await usedSeconds(), reader.read(), performance.now()];
      await sleep(4_000);
      const [second, secondAtMs, secondAfter] = [reader.read(), performance.now(), await usedSeconds()];
      const used = (second.cpuUsageSeconds ?? 0) - (first.cpuUsageSeconds ?? 0);
      const elapsed = (secondAtMs - firstAtMs) / 1_000;
      assert.ok(used > 0 && used <= secondAfter - firstBefore, `${used} of ${secondAfter - firstBefore}`);
      // A machine that is busy with other work may give less, never more but for the end of a period.
      assert.ok(used / elapsed < 0.52, `${used / elapsed} cores`);
      assertWithin(
        (second.cpuUserSeconds ?? 0) + (second.cpuSystemSeconds ?? 0),
        second.cpuUsageSeconds ?? 0,
        0.05,
      );
      assert.ok((second.cpuThrottledPeriods ?? 0) > (first.cpuThrottledPeriods ?? 0));
      assert.ok((second.cpuThrottledPeriods ?? 0) <= (second.cpuPeriods ?? 0));
      assert.equal(second.details.cpuQuotaMicroseconds, 50_000);
      assert.deepEqual(second.interfaces, []);
    });

    test(`${of} that holds 200 MiB is what the engine and the kernel say`, async () => {
      const hold = `(head -c ${200 * MIB} /dev/zero; sleep 1000) | tail -n 1`;
      await using container = await run(docker, hold, { Memory: 1024 * MIB, NetworkMode: "none" });
      using reader = read(container);
      const { memoryRssBytes, memoryWorkingSetBytes, memoryUsageBytes, details, threads } = await readUntil(
        reader,
        (measurement) => (measurement.memoryRssBytes ?? 0) >= 200 * MIB,
      );
      const { memory_stats } = await container.stats();
      assertWithin(memoryUsageBytes, memory_stats.usage, 0.02);
      assertWithin(memoryRssBytes, memory_stats.stats.total_rss ?? memory_stats.stats.rss, 0.02);
      assert.ok((memoryWorkingSetBytes ?? 0) >= 200 * MIB);
      assert.equal(details.memoryLimitBytes, 1024 * MIB);
      assert.ok((threads ?? 0) >= 2);
    });

    test(`${of} that sends 20 MB is what the engine says`, async (context) => {
      const make = `dd if=/dev/zero of=/www/file bs=1000000 count=20 && exec httpd -f -h /www -p 80`;
      await using container = await run(docker, make);
      if (container.address === undefined) {
        context.skip("the engine gives no address that can be reached from here");
        return;
      }
      using reader = read(container);
      const url = `http://${container.address}/file`;
      let bytes = 0;
      for (let tries = 0; bytes === 0; tries += 1) {
        bytes = await download(url).catch(() => 0);
        assert.ok(tries < 100, "httpd answers");
        if (bytes === 0) await sleep(100);
      }
      assert.equal(bytes, 20 * MB);
      const [eth0] = reader.read().interfaces;
      const { networks } = await container.stats();
      assert.equal(eth0?.name, "eth0");
      assertWithin(eth0?.transmitBytes, networks["eth0"]?.tx_bytes ?? 0, 0.02);
      // What acknowledges it may still come in between the two readings.
      assert.ok(
        (eth0?.receiveBytes ?? 0) > 0 && (eth0?.receiveBytes ?? 0) <= (networks["eth0"]?.rx_bytes ?? 0),
      );
      // The payload and what goes around it.
      assert.ok((eth0?.transmitBytes ?? 0) > 20 * MB && (eth0?.transmitBytes ?? 0) < 21.5 * MB);
    });

    test(`${of} that wrote 50 MB is found on its disk, with its processes and files`, async () => {
      await using container = await run(
        docker,
        "dd if=/dev/zero of=/file bs=1000000 count=50 && sleep 1000",
        {
          NetworkMode: "none",
        },
      );
      using reader = read(container);
      const sleeping = () =>
        reader.pids().some((pid) => readFileSync(`/proc/${pid}/comm`, "latin1").startsWith("sleep"));
      while (!sleeping()) await sleep(50);
      const found = Promise.withResolvers<Details>();
      let noted: Details = {};
      const discovered: Discovered = {
        id: container.id,
        kind: "container",
        pid: container.pid,
        name: "lab",
        labels: {},
        network: "none",
        limits: {},
        volumes: [],
        ...(container.writableLayer !== undefined && { writableLayer: container.writableLayer }),
      };
      await using _looks = new SlowLooks({
        root: "/",
        clock: systemClock,
        containers: () => [discovered],
        pidsOf: () => reader.pids(),
        note: (_, details) => {
          noted = { ...noted, ...details };
          if (noted.filesystems !== undefined && noted.processes !== undefined) found.resolve(noted);
        },
      });
      const { filesystems, processes, openFiles = 0, openFilesLimit = 0 } = await found.promise;
      assertWithin(filesystems?.[0]?.usageBytes, 50 * MB, 0.02);
      assert.ok((filesystems?.[0]?.sizeBytes ?? 0) > 50 * MB);
      assert.ok((processes ?? 0) >= 1 && openFiles >= 3 && openFilesLimit > 0);
    });

    test(`${of} that has ended holds nothing open, its dead network least of all`, async () => {
      const container = await run(docker, "sleep 1000");
      using sampler = new Sampler(new Host(), systemClock, 60_000);
      sampler.setContainers([{ id: container.id, pid: container.pid, kind: "container" }]);
      sampler.sample(0);
      assert.ok(openFiles().some((path) => path === `/proc/${container.pid}/net/dev`));
      await container[Symbol.asyncDispose]();
      assert.equal(sampler.sample(1).missed.length, 1);
      assert.deepEqual(
        openFiles().filter((path) => path.includes(container.id) || path.includes(`/${container.pid}/`)),
        [],
      );
    });
  }
});
