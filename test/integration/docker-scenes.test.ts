import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { systemClock } from "../../core/clock.ts";
import { createLog } from "../../core/log.ts";
import { Store } from "../../core/store.ts";
import type { ObservedReplica } from "../../core/types.ts";
import type { Scene } from "../../orchestrator/scene/scene.ts";
import { Scenes } from "../../orchestrator/scene/scenes.ts";
import { labEngines, skipWithoutEngine } from "../lab/engines.ts";
import { DockerProject, eventually } from "./docker-project.ts";

const engines = await labEngines();
const skip = skipWithoutEngine(engines);

if (skip !== false) test("scenes on a Docker engine", { skip }, () => {});

for (const lab of engines) {
  describe(`the scene of a container that failed on Docker ${lab.name}`, () => {
    test("one that says why and ends with status 3, with its secrets masked", async () => {
      await using on = await DockerProject.open(lab, "scene");
      on.define({
        web: {
          command: ["sh", "-c", "echo cannot open the till; echo with $TILL_PASSWORD >&2; exit 3"],
          environment: { TILL_PASSWORD: "till-4711" },
        },
      });
      const scene = await sceneOfFailure(on);
      assert.equal(scene.failure, "error");
      assert.equal(scene.reason, "ended with status 3");
      assert.equal(scene.exitCode, 3);
      assert.deepEqual(scene.log?.split("\n").toSorted(), ["cannot open the till", "with ***"]);
      assert.ok((scene.exitedAtMs ?? 0) >= (scene.startedAtMs ?? Number.NaN));
      assert.deepEqual(scene.missing, []);
      assert.match(JSON.stringify(scene.inspect), /"TILL_PASSWORD=\*\*\*"/);
      assert.doesNotMatch(JSON.stringify(scene), /till-4711/);
    });

    test("one that takes more memory than its limit", async () => {
      // An engine that hears of the end before it hears of the kernel's kill says status 137 alone, one time in twenty.
      for (let attempt = 1; ; attempt++) {
        const scene = await sceneOfGreed();
        assert.equal(scene.exitCode, 137);
        if (scene.oomKilled !== true && attempt < 4) continue;
        assert.equal(scene.failure, "oom");
        assert.equal(scene.reason, "was killed: it took more memory than its limit (status 137)");
        assert.equal(scene.log, "filling");
        return;
      }
    });

    async function sceneOfGreed(): Promise<Scene> {
      await using on = await DockerProject.open(lab, "oom");
      on.define({
        web: {
          command: ["sh", "-c", "echo filling; exec dd if=/dev/zero of=/dev/null bs=256M count=1"],
          resources: { limitMemoryBytes: 16 * 2 ** 20 },
          container: { memorySwapBytes: 16 * 2 ** 20 },
        },
      });
      return await sceneOfFailure(on);
    }

    test("of one that is gone already, the scene says what it could not have", async () => {
      await using on = await DockerProject.open(lab, "gone");
      const { missing } = await on.engine.scene(
        "0".repeat(64),
        { lines: 10, bytes: 100 },
        AbortSignal.timeout(30_000),
      );
      assert.equal(missing.length, 2);
      assert.match(missing.join("; "), /^inspect: No such container.*; log: .*/);
    });
  });
}

/** Runs the project's one service until it has failed, and keeps its scene. */
async function sceneOfFailure(on: DockerProject): Promise<Scene> {
  await on.createNetworks();
  await on.createAndStart("web", 1);
  let failed: ObservedReplica | undefined;
  await eventually("the container ends", async () => {
    [failed] = await on.replicas();
    return failed?.state === "exited";
  });
  assert.ok(failed);
  const directory = mkdtempSync(join(tmpdir(), "flyball-scenes-"));
  using store = new Store(directory);
  await using scenes = new Scenes({ engine: on.engine, store, clock: systemClock, log: createLog("silent") });
  scenes.see([failed], () => false);
  const { service, slot, id: replica } = failed;
  const restart = {
    kind: "start-replica",
    id: 1,
    after: [],
    cause: "it ended",
    service,
    slot,
    replica,
  } as const;
  await scenes.before(restart, failed);
  rmSync(directory, { recursive: true });
  const [scene, ...others] = scenes.of(service);
  assert.ok(scene);
  assert.deepEqual(others, []);
  return scene;
}
