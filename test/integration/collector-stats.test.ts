import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { describe, test } from "node:test";
import Docker from "dockerode";
import { EngineSource } from "../../collector/discover/engine-source.ts";
import type { Measurement } from "../../collector/read/measurement.ts";
import { Host, openReader, type Reader } from "../../collector/read/reader.ts";
import { systemClock } from "../../core/clock.ts";
import { LAB_IMAGE, type LabEngine, labEngines, skipWithoutEngine } from "../lab/engines.ts";
import { eventually } from "./flyball-daemon.ts";

const engines = await labEngines();
const skip = skipWithoutEngine(engines);

/** The engine as it is on another machine: by an address. */
async function remote(lab: LabEngine) {
  const server = createServer((client) => {
    const engine = connect(lab.socketPath);
    client.on("error", () => engine.destroy()).on("close", () => engine.destroy());
    engine.on("error", () => client.destroy()).on("close", () => client.destroy());
    client.pipe(engine).pipe(client);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    host: `tcp://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, "close");
    },
  };
}

function readNow(reader: Reader): Measurement | undefined {
  try {
    return reader.read();
  } catch {
    return undefined;
  }
}

/** What both ways read of a container, and what does not change any more when it has come to rest. */
const STEADY = [
  "memoryRssBytes",
  "memoryCacheBytes",
  "memoryMappedFileBytes",
  "threads",
  "cpuThrottledPeriods",
] as const;

/** The engine reads once a second: until the container has come to rest it tells of another moment. */
function sayTheSame(files: Measurement, stats: Measurement): boolean {
  const [a, b] = [files.cpuUsageSeconds ?? 0, stats.cpuUsageSeconds ?? -1];
  return a > 0.1 && Math.abs(a - b) / a < 0.02 && STEADY.every((field) => stats[field] === files[field]);
}

if (skip !== false) test("the engine's stats", { skip }, () => {});

for (const lab of engines) {
  describe(`the stats of Docker ${lab.name}`, () => {
    test("take the place of the files for an engine on another machine, and say the same", async () => {
      await using far = await remote(lab);
      const docker = new Docker({ socketPath: lab.socketPath });
      const host = new Host();
      const notes: string[] = [];
      await using source = new EngineSource({
        dockerHost: far.host,
        host,
        clock: systemClock,
        onChange: () => {},
        note: (line) => notes.push(line),
      });
      const container = await docker.createContainer({
        Image: LAB_IMAGE,
        Cmd: ["sh", "-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; sleep 1000"],
        HostConfig: { NetworkMode: "bridge", Memory: 64 * 1024 * 1024, NanoCpus: 500_000_000, Init: true },
      });
      try {
        await container.start();
        const { State } = await container.inspect();
        const readable = { id: container.id, kind: "container", pid: State.Pid } as const;
        using byFiles = openReader(readable, host);
        using byStats = source.open(readable);
        assert.equal(source.readByStats, 1);
        assert.throws(() => byStats.read(), /have not come yet/u);
        const alike = await eventually(
          "both say the same",
          () => {
            const files = byFiles.read();
            const stats = readNow(byStats);
            return stats !== undefined && sayTheSame(files, stats) && { files, stats };
          },
          { about: () => JSON.stringify([byFiles.read(), readNow(byStats)]) },
        );
        for (const field of STEADY) assert.ok(alike.files[field] !== undefined, field);
        assert.deepEqual(
          alike.stats.interfaces.map(({ name }) => name),
          alike.files.interfaces.map(({ name }) => name),
        );
        await container.remove({ force: true });
        await eventually(
          "it is said to be gone, or nothing is said of it",
          () => readNow(byStats) === undefined,
        );
      } finally {
        await container.remove({ force: true }).catch(() => {});
      }
      assert.equal(source.readByStats, 0);
      assert.deepEqual(notes, []);
    });

    test("are taken where the files may not be read, which is said", async () => {
      const notes: string[] = [];
      // A machine whose process files are not these: as in a container, or beside a virtual machine.
      const host = new Host("/nonexistent");
      await using source = new EngineSource({
        dockerHost: `unix://${lab.socketPath}`,
        host,
        clock: systemClock,
        onChange: () => {},
        note: (line) => notes.push(line),
      });
      const docker = new Docker({ socketPath: lab.socketPath });
      const container = await docker.createContainer({
        Image: LAB_IMAGE,
        Cmd: ["sleep", "1000"],
        HostConfig: { NetworkMode: "none", Init: true },
      });
      try {
        await container.start();
        const { State } = await container.inspect();
        using reader = source.open({ id: container.id, kind: "container", pid: State.Pid });
        const measurement = await eventually("stats have come", () => readNow(reader));
        assert.ok((measurement.memoryUsageBytes ?? 0) > 0);
        assert.equal(measurement.threads, 2);
      } finally {
        await container.remove({ force: true });
      }
    });
  });
}
