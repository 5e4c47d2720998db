import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { systemClock } from "../../../core/clock.ts";
import { createLog } from "../../../core/log.ts";
import { Store } from "../../../core/store.ts";
import type { Service } from "../../../core/types.ts";
import { Orchestrator } from "../../../orchestrator/orchestrator.ts";
import { Scenes } from "../../../orchestrator/scene/scenes.ts";
import { project } from "../builders.ts";
import { Lab } from "../engines/process/harness.ts";
import { eventually, shell } from "../real-engine.ts";

/** An orchestrator on a real process engine that keeps scenes. */
async function start(t: TestContext) {
  const lab = await Lab.open(t);
  const { engine } = await lab.engine();
  const stack = new AsyncDisposableStack();
  const store = stack.use(new Store(lab.directory));
  const parts = { engine, store, clock: systemClock, log: createLog("silent") };
  const scenes = stack.use(new Scenes(parts));
  const orchestrator = stack.use(
    new Orchestrator({ ...parts, scenes, onObserved: () => undefined, onAction: () => undefined }),
  );
  orchestrator.start();
  const up = (...services: Service[]) =>
    orchestrator.applyProject(project(services, { workingDirectory: lab.directory }));
  return { orchestrator, scenes, up, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

describe("while services run", () => {
  test("each run of a replica that ends with an error leaves its scene before it is started again", async (t) => {
    await using running = await start(t);
    const { scenes, orchestrator } = running;
    const restart = { condition: "any", delayMs: 0 } as const;
    await running.up(shell("web", "echo run of $$; exit 3", { restart }));
    const kept = await eventually("it has failed twice", () => {
      const found = scenes.of("shop_web");
      return found.length >= 2 && found;
    });
    const [second, first] = kept.toReversed().slice(0, 2).toReversed();
    assert.ok(first !== undefined && second !== undefined);
    assert.deepEqual([first.reason, first.exitCode], ["ended with status 3", 3]);
    assert.ok((second.startedAtMs ?? 0) >= first.takenAtMs, "it was started before its scene was taken");
    assert.match(first.log ?? "", /^run of \d+$/);
    assert.notEqual(orchestrator.replicasOf("shop_web")[0], undefined);
  });

  test("what ends because it is scaled in is no failure, whatever its status", async (t) => {
    await using running = await start(t);
    const { scenes, orchestrator } = running;
    await running.up(shell("web", "trap 'exit 7' TERM; while :; do sleep 0.05; done"));
    const has = (count: number) =>
      eventually(`${count} run`, () => {
        const replicas = orchestrator.replicasOf("shop_web");
        return replicas.length === count && replicas.every(({ state }) => state === "running");
      });
    orchestrator.setReplicas("shop_web", 2);
    await has(2);
    orchestrator.setReplicas("shop_web", 1);
    await has(1);
    assert.deepEqual(scenes.of("shop_web"), []);
  });
});
