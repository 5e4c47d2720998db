import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EngineClient } from "../../../collector/discover/engine-client.ts";
import { EngineDiscovery } from "../../../collector/discover/engine-discovery.ts";
import { systemClock } from "../../../core/clock.ts";
import { eventually, sleep } from "../busy-child.ts";
import { runningContainer, type ScriptedEngine, startScriptedEngine } from "./scripted-engine.ts";

function discovering(engine: Pick<ScriptedEngine, "socketPath">, listIntervalMs = 60_000) {
  const { socketPath } = engine;
  const client = new EngineClient({ kind: "socket", socketPath, text: `unix://${socketPath}` });
  const notes: string[] = [];
  let changes = 0;
  const discovery = new EngineDiscovery({
    client,
    clock: systemClock,
    onChange: () => {
      changes += 1;
    },
    note: (line) => notes.push(line),
    listIntervalMs,
    firstRetryMs: 20,
  });
  discovery.start();
  return {
    discovery,
    notes,
    names: () => [...discovery.containers.keys()].sort(),
    changes: () => changes,
    async [Symbol.asyncDispose]() {
      await discovery[Symbol.asyncDispose]();
      client[Symbol.dispose]();
    },
  };
}

describe("the discovery of an engine's containers", () => {
  test("knows 5,000 of them after one list, asking for a few at a time and telling of them in bursts", async () => {
    await using engine = await startScriptedEngine();
    for (let index = 0; index < 5_000; index += 1)
      engine.containers.set(`c${index}`, runningContainer(`c${index}`));
    await using found = discovering(engine);
    await eventually("the list is whole", () => found.discovery.listedAtMs !== undefined);
    assert.equal(found.discovery.containers.size, 5_000);
    assert.ok(engine.mostAtOnce <= 4, `${engine.mostAtOnce} at once`);
    assert.equal(engine.asked.filter((path) => path === "/containers/ID/json").length, 5_000);
    await eventually("it is told of", () => found.changes() > 0);
    assert.ok(found.changes() < 2_500, `told ${found.changes()} times`);
  });

  test("hears of what starts and ends, and counts what had ended before it could be looked at", async () => {
    await using engine = await startScriptedEngine();
    await using found = discovering(engine);
    await eventually("the list is whole", () => found.discovery.listedAtMs !== undefined);
    engine.containers.set("web", runningContainer("web"));
    engine.emit("start", "web");
    await eventually("it is known", () => found.discovery.containers.has("web"));
    engine.emit("start", "brief");
    engine.emit("die", "brief");
    engine.emit("oom", "web");
    engine.containers.delete("web");
    engine.emit("die", "web");
    await eventually("it is gone", () => !found.discovery.containers.has("web"));
    assert.deepEqual(found.discovery.counts, { starts: 2, deaths: 2, endedUnseen: 1, oomEvents: 1 });
  });

  test("believes no answer that is older than an event", async () => {
    await using engine = await startScriptedEngine();
    await using found = discovering(engine);
    await eventually("the list is whole", () => found.discovery.listedAtMs !== undefined);
    engine.delayMs = 100;
    engine.containers.set("web", runningContainer("web"));
    engine.emit("start", "web");
    await eventually("it is being looked at", () => engine.asked.at(-1) === "/containers/ID/json");
    engine.containers.delete("web");
    engine.emit("die", "web");
    await sleep(400);
    assert.deepEqual(found.names(), []);
    assert.equal(engine.asked.filter((path) => path === "/containers/ID/json").length, 2);
  });

  test("sees a container that was started again as another process of the same container", async () => {
    await using engine = await startScriptedEngine();
    engine.containers.set("web", runningContainer("web", 100));
    await using found = discovering(engine);
    await eventually("it is known", () => found.discovery.containers.get("web")?.pid === 100);
    engine.containers.set("web", { ...runningContainer("web", 200), RestartCount: 1 });
    engine.emit("die", "web");
    engine.emit("start", "web");
    await eventually("it is the new one", () => found.discovery.containers.get("web")?.pid === 200);
    assert.equal(found.discovery.containers.get("web")?.restarts, 1);
  });

  test("takes health from the events, without asking", async () => {
    await using engine = await startScriptedEngine();
    engine.containers.set("web", runningContainer("web"));
    await using found = discovering(engine);
    await eventually("the list is whole", () => found.discovery.listedAtMs !== undefined);
    const asked = engine.asked.length;
    engine.emit("exec_start: wget", "web");
    engine.emit("health_status: unhealthy", "web");
    await eventually("it is unhealthy", () => found.discovery.containers.get("web")?.health === "unhealthy");
    assert.equal(engine.asked.length, asked);
  });

  test("keeps what it knows while the engine is away, says so once, and hears later what it missed", async () => {
    await using engine = await startScriptedEngine();
    for (const id of ["stays", "ends"]) engine.containers.set(id, runningContainer(id));
    await using found = discovering(engine);
    await eventually("the list is whole", () => found.discovery.listedAtMs !== undefined);
    engine.emit("oom", "stays");
    await eventually("the last event", () => found.discovery.counts.oomEvents === 1);
    await engine.breakOff({ listen: false });
    await eventually("it is missed", () =>
      found.notes.some((line) => line.includes("there is no such socket")),
    );
    assert.deepEqual(found.names(), ["ends", "stays"]);
    assert.match(found.discovery.trouble ?? "", /no such socket/u);

    engine.containers.delete("ends");
    engine.emit("die", "ends");
    engine.containers.set("new", runningContainer("new"));
    engine.emit("start", "new");
    await engine.comeBack();
    await eventually("it is heard again", () => found.discovery.trouble === undefined);
    assert.deepEqual(found.names(), ["new", "stays"]);
    // The event from before the gap is told again by the engine, and not counted again.
    assert.deepEqual(found.discovery.counts, { starts: 1, deaths: 1, endedUnseen: 0, oomEvents: 1 });
    assert.equal(found.notes.filter((line) => line.includes("no such socket")).length, 1);
    assert.equal(found.notes.at(-1), "the engine answers again");
  });

  test("looks at every container anew after a gap: what was restarted meanwhile has another process", async () => {
    await using engine = await startScriptedEngine();
    engine.containers.set("web", runningContainer("web", 100));
    await using found = discovering(engine);
    await eventually("it is known", () => found.discovery.containers.get("web")?.pid === 100);
    engine.containers.set("web", runningContainer("web", 300));
    await engine.breakOff({ listen: true });
    await eventually("it is the new one", () => found.discovery.containers.get("web")?.pid === 300);
  });

  test("waits for an engine that is slow, and knows all the same", async () => {
    await using engine = await startScriptedEngine();
    engine.delayMs = 700;
    engine.containers.set("web", runningContainer("web"));
    await using found = discovering(engine);
    await sleep(500);
    assert.deepEqual(found.names(), []);
    assert.equal(found.discovery.trouble, "the engine has not answered yet");
    await eventually("it is known", () => found.discovery.listedAtMs !== undefined);
    assert.deepEqual(found.names(), ["web"]);
    assert.deepEqual(found.notes, []);
  });

  test("finds by its lists what no event told, and goes on when one container cannot be looked at", async () => {
    await using engine = await startScriptedEngine();
    engine.containers.set("old", runningContainer("old"));
    await using found = discovering(engine, 50);
    await eventually("the list is whole", () => found.discovery.listedAtMs !== undefined);
    engine.refuses = true;
    engine.containers.set("odd", runningContainer("odd"));
    await eventually("it was asked for", () => found.notes.length > 0);
    engine.containers.delete("old");
    await eventually("the one that went", () => found.names().length === 0);
    assert.deepEqual(found.notes, [
      'container odd cannot be looked at: the engine answered 500: {"message":"driver failed"}',
    ]);
    engine.refuses = false;
    await eventually("it is known at last", () => found.discovery.containers.has("odd"));
  });

  test("says which right is missing, or that nothing is there", async () => {
    await using found = discovering({ socketPath: "/nonexistent/docker.sock" });
    await eventually("it is said", () => found.notes.length > 0);
    assert.match(
      found.notes[0] ?? "",
      /^the engine at unix:\/\/\/nonexistent\/docker.sock does not answer: there is no such socket$/u,
    );
  });

  test("ends at once, whatever it waits for", async () => {
    await using engine = await startScriptedEngine();
    engine.delayMs = 60_000;
    const found = discovering(engine);
    await eventually("it has asked", () => engine.asked.length > 0);
    await found[Symbol.asyncDispose]();
  });
});
