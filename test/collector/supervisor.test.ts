import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { Batch } from "../../collector/batch.ts";
import { COLLECTOR_LINK } from "../../collector/messages.ts";
import { restartDelay } from "../../collector/restart-delay.ts";
import { type Collector, startCollector } from "../../collector/supervisor.ts";
import { systemClock } from "../../core/clock.ts";
import type { Target } from "../../core/types.ts";
import { eventually, REST, SPIN, startChild } from "./busy-child.ts";

let dataDirectory = "";
beforeEach(() => {
  dataDirectory = mkdtempSync(join(tmpdir(), "flyball-collector-"));
});
afterEach(() => rmSync(dataDirectory, { recursive: true, force: true }));

const silent = { info: () => {}, warn: () => {} };

/** A collector that reads twenty times a second, and what it has sent so far. */
async function collecting(): Promise<{ collector: Collector; batches: Batch[]; states: string[] }> {
  const batches: Batch[] = [];
  const states: string[] = [];
  const collector = await startCollector({
    dataDirectory,
    intervalMs: 50,
    clock: systemClock,
    log: silent,
    onBatch: (batch) => batches.push(batch),
    onStateChange: (state) => states.push(state),
  });
  return { collector, batches, states };
}

const target = (replica: string, pid: number): Target => ({
  replica,
  service: "shop_web",
  pid,
  kind: "process",
});
const sampled = (batches: readonly Batch[], replica: string) =>
  batches.flatMap((batch) => batch.samples).filter((sample) => sample.replica === replica);

/** A process that ended and that nobody asked for yet has no command line any more. */
function runs(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8") !== "";
  } catch {
    return false;
  }
}

describe("the collector", () => {
  test("sends the CPU and memory of its targets, tick after tick", async () => {
    await using child = await startChild(SPIN);
    const { collector, batches, states } = await collecting();
    await using _collector = collector;
    collector.setTargets([target("web-1", child.pid)]);
    await eventually("six samples", () => sampled(batches, "web-1").length >= 6);
    const [first, ...later] = sampled(batches, "web-1");
    assert.ok(first !== undefined && first.cpuCores === undefined);
    assert.ok(later.some((sample) => (sample.cpuCores ?? 0) > 0));
    assert.ok(later.every((sample) => (sample.memoryWorkingSetBytes ?? 0) > 0));
    const ticks = batches.map((batch) => batch.tick);
    assert.deepEqual(
      ticks,
      [...new Set(ticks)].toSorted((a, b) => a - b),
    );
    assert.deepEqual(states, ["running"]);
  });

  test("comes back after it was killed, and reads the same targets", async () => {
    await using child = await startChild(REST);
    const { collector, batches, states } = await collecting();
    await using _collector = collector;
    collector.setTargets([target("web-1", child.pid)]);
    await eventually("a first sample", () => sampled(batches, "web-1").length > 0);
    const killed = collector.pid ?? 0;
    process.kill(killed, "SIGKILL");
    await eventually("another process", () => collector.restarts === 1 && collector.state === "running");
    assert.notEqual(collector.pid, killed);
    batches.length = 0;
    await eventually("a sample of the new one", () => sampled(batches, "web-1").length > 0);
    assert.deepEqual(states, ["running", "dead", "starting", "running"]);
  });

  test("tells once that a target ended, then forgets it, and keeps nothing open for it", async () => {
    await using staying = await startChild(REST);
    await using ending = await startChild(REST);
    const { collector, batches } = await collecting();
    await using _collector = collector;
    const descriptors = () => readdirSync(`/proc/${collector.pid}/fd`).length;
    await eventually("a first batch", () => batches.length > 0);
    const bare = descriptors();

    collector.setTargets([target("stays", staying.pid), target("ends", ending.pid)]);
    await eventually(
      "samples of both",
      () => sampled(batches, "ends").length > 0 && sampled(batches, "stays").length > 0,
    );
    const withTwo = descriptors();
    await ending.end();
    await eventually("it is missed", () => batches.some((batch) => batch.missed.length > 0));
    const from = batches.length;
    await eventually("more batches", () => batches.length >= from + 5);
    const missed = batches.flatMap((batch) => batch.missed);
    assert.deepEqual(
      missed.map(({ replica }) => replica),
      ["ends"],
    );
    assert.match(missed[0]?.reason ?? "", /ended/u);
    assert.ok(sampled(batches.slice(from), "stays").length > 0);
    assert.ok(descriptors() < withTwo);

    collector.setTargets([]);
    await eventually("nothing open for targets", () => descriptors() === bare);
  });

  test("gets nothing of the daemon's environment", async () => {
    const { collector, batches } = await collecting();
    await using _collector = collector;
    await eventually("a first batch", () => batches.length > 0);
    const names = readFileSync(`/proc/${collector.pid}/environ`, "utf8")
      .split("\0")
      .filter((line) => line !== "")
      .map((line) => line.split("=")[0]);
    assert.deepEqual(names, ["NODE_COMPILE_CACHE"]);
  });

  test("goes on while others send garbage or pretend to be it", async () => {
    const { collector, batches } = await collecting();
    await using _collector = collector;
    await eventually("a first batch", () => batches.length > 0);
    const lie = {
      type: "samples",
      tick: 1,
      readAtMs: 1,
      revision: 0,
      droppedBatches: 0,
      rows: [],
      missed: [],
    };
    for (const bytes of [
      "garbage\f",
      `${JSON.stringify({ type: "message", data: { type: "hello", pid: 1 } })}\f`,
      `${JSON.stringify({ type: "message", data: lie })}\f`,
    ]) {
      const socket = connect(join(dataDirectory, "link", `${COLLECTOR_LINK}.sock`));
      socket.on("error", () => {});
      socket.resume();
      socket.write(bytes);
      await once(socket, "close");
    }
    const before = batches.length;
    await eventually("more batches", () => batches.length > before);
    assert.equal(collector.restarts, 0);
    assert.ok(batches.every((batch) => batch.readAtMs !== 1));
  });

  test("ends when it is disposed of, and leaves no socket", async () => {
    const { collector, batches } = await collecting();
    await eventually("a first batch", () => batches.length > 0);
    const { pid } = collector;
    await collector[Symbol.asyncDispose]();
    assert.equal(existsSync(`/proc/${pid}`), false);
    assert.deepEqual(readdirSync(join(dataDirectory, "link")), []);
    assert.equal(collector.state, "dead");
  });

  test("ends by itself when the daemon was killed", async () => {
    const script = `
      import { startCollector } from ${JSON.stringify(import.meta.resolve("../../collector/supervisor.ts"))};
      const clock = { nowMs: Date.now, monotonicMs: () => performance.now() };
      const log = { info() {}, warn() {} };
      const collector = await startCollector({
        dataDirectory: process.argv[1], intervalMs: 50, clock, log,
        onBatch: () => console.log(collector.pid),
      });
    `;
    const daemon = spawn(process.execPath, ["--input-type=module", "-e", script, dataDirectory], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [pid] = await once(createInterface({ input: daemon.stdout }), "line");
    assert.ok(runs(pid));
    daemon.kill("SIGKILL");
    await eventually("the collector ends", () => !runs(pid));
  });
});

describe("the wait before a restart", () => {
  test("is well within a second after a life", () => {
    assert.ok(restartDelay(undefined, 20) < 500);
    assert.equal(restartDelay(8_000, 60_000), restartDelay(undefined, 60_000));
  });

  test("doubles up to a bound while it dies young", () => {
    const delays: number[] = [];
    let delayMs: number | undefined;
    for (let death = 0; death < 10; death += 1) {
      delayMs = restartDelay(delayMs, 30);
      delays.push(delayMs);
    }
    assert.deepEqual(delays, [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 15_000, 15_000]);
  });
});
