import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { systemClock } from "../../../core/clock.ts";
import { createLog } from "../../../core/log.ts";
import { Store } from "../../../core/store.ts";
import type { Action, ObservedReplica } from "../../../core/types.ts";
import { DAY_MS } from "../../../core/units.ts";
import type { Engine, EngineScene } from "../../../orchestrator/engine.ts";
import { Scenes } from "../../../orchestrator/scene/scenes.ts";
import { NOW_MS, replica } from "../builders.ts";
import { Lab, shell } from "../engines/process/harness.ts";

const NOBODY = () => false;

class Place {
  readonly directory = mkdtempSync(join(tmpdir(), "flyball-scenes-"));
  readonly store = new Store(this.directory);
  nowMs = NOW_MS;

  constructor(t: TestContext) {
    t.after(() => {
      this.store[Symbol.dispose]();
      rmSync(this.directory, { recursive: true });
    });
  }

  scenes(scene: Engine["scene"]): Scenes {
    const clock = { nowMs: () => this.nowMs, monotonicMs: () => systemClock.monotonicMs() };
    return new Scenes({ engine: { scene }, store: this.store, clock, log: createLog("silent") });
  }
}

function start(of: ObservedReplica, kind: "start-replica" | "stop-replica" = "start-replica"): Action {
  const { service, slot, id } = of;
  return { kind, id: 1, after: [], cause: "it failed", service, slot, replica: id };
}

const LEFT: EngineScene = { log: "one\ntwo\n", inspect: { Env: ["TOKEN=abcdefgh"] }, missing: [] };

describe("the scenes of replicas that failed", () => {
  test("a scene is kept before the restart, once for each run, and is there after the daemon's own restart", async (t) => {
    const place = new Place(t);
    let asked = 0;
    const scenes = place.scenes(async () => {
      asked += 1;
      return LEFT;
    });
    const failed = replica("web", 1, "exited", { exitCode: 3, startedAtMs: 5 });
    scenes.see([failed], NOBODY);
    scenes.see([failed], NOBODY);
    await scenes.before(start(failed), failed);
    const [scene, ...others] = scenes.of("shop_web");
    assert.deepEqual(others, []);
    assert.deepEqual(scene, {
      service: "shop_web",
      slot: 1,
      replica: "web-1",
      name: "shop-web-1",
      failure: "error",
      reason: "ended with status 3",
      takenAtMs: NOW_MS,
      startedAtMs: 5,
      exitCode: 3,
      log: "one\ntwo",
      inspect: { Env: ["TOKEN=***"] },
      missing: [],
    });

    const later = place.scenes(async () => LEFT);
    later.see([failed], NOBODY);
    await later[Symbol.asyncDispose]();
    assert.equal(later.of("shop_web").length, 1);
    assert.equal(asked, 1);
  });

  test("what we end ourselves is no failure, and one that is unhealthy is looked at when it is to be replaced", async (t) => {
    const scenes = new Place(t).scenes(async () => LEFT);
    const ended = replica("web", 1, "exited", { exitCode: 1 });
    const unhealthy = replica("web", 2, "unhealthy");
    scenes.see([ended, unhealthy], ({ slot }) => slot === 1);
    await scenes.before(start(ended), ended);
    assert.deepEqual(scenes.of("shop_web"), []);
    await scenes.before(start(unhealthy, "stop-replica"), unhealthy);
    assert.deepEqual(
      scenes.of("shop_web").map(({ slot, failure }) => ({ slot, failure })),
      [{ slot: 2, failure: "unhealthy" }],
    );
  });

  test("an engine that does not answer holds a restart up for two seconds and no longer, and the scene says so", async (t) => {
    const scenes = new Place(t).scenes(() => new Promise(() => {}));
    const failed = replica("web", 1, "exited", { exitCode: 3 });
    scenes.see([failed], NOBODY);
    await scenes.before(start(failed), failed);
    const [scene] = scenes.of("shop_web");
    assert.deepEqual(scene?.missing, ["log and inspect: the engine did not answer within 2000 ms"]);
    assert.equal(scene?.exitCode, 3);
  });

  test("an engine that throws, and a store that is closed, are not fatal", async (t) => {
    const place = new Place(t);
    const scenes = place.scenes(async () => {
      throw new Error("no such container");
    });
    const failed = replica("web", 1, "exited", { exitCode: 3 });
    await scenes.before({ ...start(failed) }, failed);
    scenes.see([failed], NOBODY);
    await scenes.before(start(failed), failed);
    assert.deepEqual(scenes.of("shop_web")[0]?.missing, ["log and inspect: no such container"]);
    place.store[Symbol.dispose]();
    const other = replica("web", 2, "exited", { exitCode: 4 });
    scenes.see([other], NOBODY);
    await scenes.before(start(other), other);
  });

  test("five are kept of each service, and none for longer than a week", async (t) => {
    const place = new Place(t);
    const scenes = place.scenes(async () => LEFT);
    for (let run = 1; run <= 7; run += 1) {
      place.nowMs += 1_000;
      const failed = replica("web", 1, "exited", { exitCode: run, startedAtMs: run });
      scenes.see([failed, replica("api", 1, "exited", { exitCode: 9 })], NOBODY);
      await scenes.before(start(failed), failed);
    }
    assert.deepEqual(
      scenes.of("shop_web").map(({ exitCode }) => exitCode),
      [7, 6, 5, 4, 3],
    );
    assert.equal(scenes.of("shop_api").length, 1);
    place.nowMs += 7 * DAY_MS;
    assert.deepEqual(scenes.of("shop_web"), []);
    const again = place.scenes(async () => LEFT);
    again.see([], NOBODY);
    assert.deepEqual(place.store.all("SELECT id FROM scenes"), []);
  });

  test("a large log and a large description take a bounded place", async (t) => {
    const line = `${"x".repeat(1_000)}\n`;
    const scenes = new Place(t).scenes(async () => ({
      log: line.repeat(500),
      inspect: { Id: "web-1", Huge: "y".repeat(100_000) },
      missing: [],
    }));
    const failed = replica("web", 1, "exited", { exitCode: 3 });
    scenes.see([failed], NOBODY);
    await scenes.before(start(failed), failed);
    const [scene] = scenes.of("shop_web");
    assert.ok((scene?.log?.length ?? 0) > 15_000);
    assert.ok(JSON.stringify(scene).length < 50_000);
    assert.deepEqual(scene?.missing, ["inspect: Huge is too large to be kept"]);
  });
});

describe("the scene on the process engine", () => {
  test("of a command that says why and ends with status 3", async (t) => {
    const lab = await Lab.open(t);
    const driver = await lab.engine();
    const web = shell("echo cannot open the till; echo $TILL_PASSWORD; exit 3", {
      environment: { TILL_PASSWORD: "till-4711" },
    });
    const failed = await driver.until(await driver.run(web), "exited");
    const scenes = new Place(t).scenes((...args) => driver.engine.scene(...args));
    scenes.see([failed], NOBODY);
    await scenes.before(start(failed), failed);
    const [scene] = scenes.of("shop_web");
    assert.equal(scene?.reason, "ended with status 3");
    assert.equal(scene?.log, "cannot open the till\n***");
    assert.ok((scene?.exitedAtMs ?? 0) >= (scene?.startedAtMs ?? Number.NaN));
    assert.deepEqual(scene?.missing, []);
    assert.doesNotMatch(JSON.stringify(scene), /till-4711/);
    assert.match(JSON.stringify(scene?.inspect), /"TILL_PASSWORD":"\*\*\*"/);
  });
});
