import assert from "node:assert/strict";
import { readdirSync, readlinkSync } from "node:fs";
import { describe, test } from "node:test";
import Docker from "dockerode";
import { Host } from "../../collector/read/reader.ts";
import { Sampler } from "../../collector/sampler.ts";
import { systemClock } from "../../core/clock.ts";
import { LAB_IMAGE, labEngines, skipWithoutEngine } from "../lab/engines.ts";

const engines = await labEngines();

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

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

describe("the collector beside a Docker engine", { skip: skipWithoutEngine(engines) }, () => {
  for (const engine of engines) {
    const docker = new Docker({ socketPath: engine.socketPath });

    test(`reads a busy container of engine ${engine.name} as the engine itself does, until it is removed`, async () => {
      const container = await docker.createContainer({
        Image: LAB_IMAGE,
        Cmd: ["sh", "-c", "while :; do :; done"],
        HostConfig: { NanoCpus: 500_000_000, Memory: 64 * 1024 * 1024, NetworkMode: "none" },
      });
      const { id } = container;
      // Connections to the engine may stay open for later use: only files of this container count.
      const descriptors = () => openFiles().filter((path) => path.includes(id));
      try {
        await container.start();
        const { State } = await container.inspect();
        using sampler = new Sampler({ host: new Host(), clock: systemClock, maxGapMs: 60_000 });
        sampler.setTargets([{ replica: id, service: "lab_busy", pid: State.Pid, kind: "container" }]);
        sampler.sample(0);

        const usedSeconds = async () =>
          (await container.stats({ stream: false })).cpu_stats.cpu_usage.total_usage / 1e9;
        await sleep(1_000);
        const before = await usedSeconds();
        const [sample] = sampler.sample(1).samples;
        const after = await usedSeconds();
        assert.ok(sample?.cpuUsageSeconds !== undefined && sample.cpuCores !== undefined);
        assert.ok(before > 0 && before <= sample.cpuUsageSeconds && sample.cpuUsageSeconds <= after);
        assert.ok(
          sample.cpuCores > 0 && sample.cpuCores < 0.6,
          `${sample.cpuCores} cores of a limit of half a core`,
        );
        assert.ok((sample.cpuThrottledSeconds ?? 0) > 0, "it was held back");
        assert.ok((sample.memoryWorkingSetBytes ?? 0) > 0);
        assert.ok((sample.memoryWorkingSetBytes ?? 0) <= (sample.memoryUsageBytes ?? 0));

        assert.ok(descriptors().length > 0);
        await container.remove({ force: true });
        assert.deepEqual(
          sampler.sample(2).missed.map(({ replica }) => replica),
          [id],
        );
        const { samples, missed } = sampler.sample(3);
        assert.deepEqual([samples, missed], [[], []]);
        assert.deepEqual(descriptors(), []);
      } finally {
        await container.remove({ force: true }).catch(() => {});
      }
    });
  }
});
