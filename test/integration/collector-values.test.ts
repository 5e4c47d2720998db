import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
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
  /** What the engine says of it at this moment. */
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
      stats: () => container.stats({ stream: false, "one-shot": true }),
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

/** The number that the kernel's own file says: of the cgroup's controller, or of cgroup v2 behind a key. */
function kernelValue(
  { pid }: Running,
  v1: { controller: string; file: string },
  v2: { file: string; key?: string },
): number {
  const text = readFileSync(`/proc/${pid}/cgroup`, "utf8");
  const path = new RegExp(`^\\d+:(?:.*,)?${v1.controller}(?:,.*)?:(/.*)$`, "m").exec(text)?.[1];
  if (path !== undefined) return Number(readFileSync(`/sys/fs/cgroup/${v1.controller}${path}/${v1.file}`));
  const unified = /^0::(\/.*)$/m.exec(text)?.[1] ?? "";
  const found = readFileSync(`/sys/fs/cgroup${unified}/${v2.file}`, "utf8");
  return Number(v2.key === undefined ? found : new RegExp(`^${v2.key} (\\d+)$`, "m").exec(found)?.[1]);
}

const kernelCpuSeconds = (container: Running): number => {
  const value = kernelValue(
    container,
    { controller: "cpuacct", file: "cpuacct.usage" },
    { file: "cpu.stat", key: "usage_usec" },
  );
  // Nanoseconds on v1, microseconds on v2.
  return value / (existsSync("/sys/fs/cgroup/cgroup.controllers") ? 1e6 : 1e9);
};

const kernelMemoryBytes = (container: Running): number =>
  kernelValue(container, { controller: "memory", file: "memory.usage_in_bytes" }, { file: "memory.current" });

/** How far it is from the truth, for people to read. */
function deviation(value: number | undefined, truth: number): string {
  return `${((((value ?? Number.NaN) - truth) / truth) * 100).toFixed(3)} %`;
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

    test(`${of} of half a core is what the engine and the kernel say`, async (context) => {
      await using container = await run(docker, "while :; do :; done", {
        NanoCpus: 5e8,
        NetworkMode: "none",
      });
      using reader = read(container);
      const usedSeconds = (): number => reader.read().cpuUsageSeconds ?? Number.NaN;
      await sleep(500);
      const [first, firstAtMs] = [reader.read(), performance.now()];
      await sleep(4_000);
      const [second, secondAtMs] = [reader.read(), performance.now()];
      const used = (second.cpuUsageSeconds ?? 0) - (first.cpuUsageSeconds ?? 0);
      const elapsed = (secondAtMs - firstAtMs) / 1_000;
      const [kernelBefore, ours, kernelAfter] = [
        kernelCpuSeconds(container),
        usedSeconds(),
        kernelCpuSeconds(container),
      ];
      assert.ok(kernelBefore <= ours && ours <= kernelAfter, `${kernelBefore} ${ours} ${kernelAfter}`);
      const before = usedSeconds();
      const engineSays = (await container.stats()).cpu_stats.cpu_usage.total_usage / 1e9;
      const after = usedSeconds();
      assert.ok(before <= engineSays && engineSays <= after, `${before} ${engineSays} ${after}`);
      context.diagnostic(
        `${deviation(ours, (kernelBefore + kernelAfter) / 2)} from the kernel, ` +
          `${deviation((before + after) / 2, engineSays)} from the engine, ${deviation(used / elapsed, 0.5)} from half a core`,
      );
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

    test(`${of} that holds 200 MiB is what the engine and the kernel say`, async (context) => {
      const hold = `(head -c ${200 * MIB} /dev/zero; sleep 1000) | tail -n 1`;
      await using container = await run(docker, hold, { Memory: 1024 * MIB, NetworkMode: "none" });
      using reader = read(container);
      const { memoryRssBytes, memoryWorkingSetBytes, memoryUsageBytes, details, threads } = await readUntil(
        reader,
        (measurement) => (measurement.memoryRssBytes ?? 0) >= 200 * MIB,
      );
      const { memory_stats } = await container.stats();
      const kernelSays = kernelMemoryBytes(container);
      context.diagnostic(
        `${deviation(memoryUsageBytes, kernelSays)} from the kernel, ${deviation(memoryUsageBytes, memory_stats.usage)} ` +
          `from the engine, ${deviation(memoryRssBytes, 200 * MIB)} from 200 MiB`,
      );
      assertWithin(memoryUsageBytes, kernelSays, 0.02);
      assertWithin(memoryUsageBytes, memory_stats.usage, 0.02);
      assertWithin(memoryRssBytes, 200 * MIB, 0.02);
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
      context.diagnostic(
        `${deviation(eth0?.transmitBytes, networks["eth0"]?.tx_bytes ?? 0)} from the engine, ` +
          `${deviation(eth0?.transmitBytes, 20 * MB)} from 20 MB, headers and all`,
      );
      assertWithin(eth0?.transmitBytes, networks["eth0"]?.tx_bytes ?? 0, 0.02);
      // What acknowledges it may still come in between the two readings.
      assert.ok(
        (eth0?.receiveBytes ?? 0) > 0 && (eth0?.receiveBytes ?? 0) <= (networks["eth0"]?.rx_bytes ?? 0),
      );
      // The payload and what goes around it.
      assert.ok((eth0?.transmitBytes ?? 0) > 20 * MB && (eth0?.transmitBytes ?? 0) < 21.5 * MB);
    });

    test(`${of} that wrote 50 MB is found on its disk, with its processes and files`, async (context) => {
      await using container = await run(
        docker,
        "dd if=/dev/zero of=/file bs=1000000 count=50 conv=fsync && sleep 1000",
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
      context.diagnostic(`${deviation(filesystems?.[0]?.usageBytes, 50 * MB)} from 50 MB`);
      assertWithin(filesystems?.[0]?.usageBytes, 50 * MB, 0.02);
      // cgroup v1 counts nothing of it on most machines, and then nothing is said of it.
      const written = (await container.stats()).blkio_stats?.io_service_bytes_recursive ?? [];
      const engineSays = written.filter(({ op }) => /^write$/i.test(op)).map(({ value }) => value);
      const ours = reader.read().devices.map(({ writeBytes = Number.NaN }) => writeBytes);
      assert.equal(ours.length, engineSays.length);
      const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
      assertWithin(sum(ours), sum(engineSays), 0.02);
      assert.ok((filesystems?.[0]?.sizeBytes ?? 0) > 50 * MB);
      assert.ok((processes ?? 0) >= 1 && openFiles >= 3 && openFilesLimit > 0);
    });

    test(`${of} that has ended holds nothing open, its dead network least of all`, async () => {
      const container = await run(docker, "sleep 1000");
      using sampler = new Sampler({ host: new Host(), clock: systemClock, maxGapMs: 60_000 });
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
