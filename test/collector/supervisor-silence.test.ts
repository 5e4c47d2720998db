import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Batch } from "../../collector/batch.ts";
import { type Collector, startCollector } from "../../collector/supervisor.ts";
import { systemClock } from "../../core/clock.ts";
import { eventually } from "./busy-child.ts";

/** Longer than one that has been heard may be silent. */
const LONG_MS = 13_000;

async function withCollector(
  story: (collector: Collector, batches: Batch[]) => Promise<void>,
): Promise<void> {
  const dataDirectory = mkdtempSync(join(tmpdir(), "flyball-collector-"));
  const batches: Batch[] = [];
  try {
    await using collector = await startCollector({
      dataDirectory,
      intervalMs: 100,
      clock: systemClock,
      log: { info: () => {}, warn: () => {} },
      onBatch: (batch) => batches.push(batch),
    });
    await story(collector, batches);
  } finally {
    rmSync(dataDirectory, { recursive: true, force: true });
  }
}

function send(collector: Collector, signal: NodeJS.Signals): void {
  assert.ok(collector.pid !== undefined);
  process.kill(collector.pid, signal);
}

describe("a collector that says nothing", { concurrency: true }, () => {
  test("hangs, and another takes its place", () =>
    withCollector(async (collector, batches) => {
      await eventually("a first batch", () => batches.length > 0);
      send(collector, "SIGSTOP");
      await eventually("another process", () => collector.restarts === 1 && collector.state === "running");
    }));

  test("because it gets no CPU to start with is waited for", () =>
    withCollector(async (collector, batches) => {
      send(collector, "SIGSTOP");
      await sleep(LONG_MS);
      send(collector, "SIGCONT");
      await eventually("a first batch", () => batches.length > 0);
      assert.equal(collector.restarts, 0);
    }));
});
