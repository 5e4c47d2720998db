import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Batch } from "../../collector/batch.ts";
import { collectorCommand } from "../../collector/launch.ts";
import { readArguments, writeArguments } from "../../collector/settings.ts";
import { startCollector } from "../../collector/supervisor.ts";
import { systemClock } from "../../core/clock.ts";
import { eventually, SPIN, startChild } from "./busy-child.ts";

describe("the page of a daemon's collector", () => {
  test("is offered as soon as its address is free; until then everything else goes on", async () => {
    await using child = await startChild(SPIN);
    const dataDirectory = mkdtempSync(join(tmpdir(), "flyball-collector-"));
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const warnings: string[] = [];
    const batches: Batch[] = [];
    try {
      await using collector = await startCollector({
        dataDirectory,
        intervalMs: 100,
        clock: systemClock,
        log: { info: () => {}, warn: (_, message) => warnings.push(message) },
        onBatch: (batch) => batches.push(batch),
        metrics: { host: "127.0.0.1", port },
      });
      const name = "shop_web.1";
      const labels = { "business.team": "checkout" };
      collector.setTargets([
        { replica: "0123456789abcdef", service: "shop_web", pid: child.pid, kind: "process", name, labels },
      ]);
      await eventually("samples come", () => batches.some(({ samples }) => samples.length > 0));
      await eventually("it is said", () => warnings.some((line) => line.includes("PORT_IN_USE")));
      assert.equal(collector.restarts, 0);
      other.close();
      await once(other, "close");
      let text = "";
      const look = setInterval(() => {
        fetch(`http://127.0.0.1:${port}/metrics`)
          .then(async (response) => {
            text = await response.text();
          })
          .catch(() => {});
      }, 200);
      try {
        await eventually("the replica is shown", () => text.includes(`name="${name}",team="checkout"`));
      } finally {
        clearInterval(look);
      }
      await eventually("the clock is known", () => collector.clockOffset !== undefined);
      const { offsetMs = Number.NaN, roundTripMs = 0 } = collector.clockOffset ?? {};
      assert.ok(Math.abs(offsetMs) <= roundTripMs / 2 + 1, `of one clock: ${offsetMs} within ${roundTripMs}`);
      assert.equal(collector.restarts, 0);
    } finally {
      other.close();
      rmSync(dataDirectory, { recursive: true, force: true });
    }
  });
});

describe("the words that start a collector", () => {
  test("are read as they were written", () => {
    const settings = {
      intervalMs: 1_000,
      root: "/",
      labels: { renamed: { "com.example.team": "team" }, allowed: ["a=b", "--x"] },
    };
    const all = { ...settings, metrics: { host: "::1", port: 9417 }, dockerHost: "" };
    for (const given of [settings, all]) {
      const child = { kind: "child", linkDirectory: "/run/a b/-x", settings: given } as const;
      assert.deepEqual(readArguments(writeArguments(child), {}), { ...child, cached: false });
      const agent = { kind: "agent", settings: given } as const;
      assert.deepEqual(readArguments([...writeArguments(agent), "--cached"], {}), { ...agent, cached: true });
    }
  });

  test("hold neither a receiver's URL nor its token, which everybody could read: they come by the environment", () => {
    const remoteWrite = { url: "http://user:password@metrics", token: "a secret" };
    const run = {
      kind: "agent",
      settings: { intervalMs: 1_000, root: "/", labels: {}, remoteWrite },
    } as const;
    const { words, environment } = collectorCommand(run, undefined);
    assert.doesNotMatch(words.join(" "), /secret|password/u);
    assert.deepEqual(readArguments(writeArguments(run), environment), { ...run, cached: false });
  });

  test("are refused when they say too much, too little or nonsense", () => {
    for (const words of [
      [],
      ["--agent", "--link", "/x"],
      ["--agent", "--interval", "0"],
      ["--agent", "--metrics", "9417"],
      ["--agent", "--metrics", "host:port"],
    ]) {
      assert.throws(() => readArguments(words, {}), /expected/u, words.join(" "));
    }
  });
});
