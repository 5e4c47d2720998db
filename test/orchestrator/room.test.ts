import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service } from "../../core/types.ts";
import { eventually, Running, STAYS, shell } from "./real-engine.ts";

const QUICK = { monitorMs: 100 };
/** Room for two. */
const CAPACITY = { cores: 2.5, memoryBytes: 2 ** 34, overcommitRatio: 1 };

function version(number: number): Service {
  const fields = { environment: { VERSION: String(number) }, resources: { reservedCores: 1 } };
  return {
    ...shell("web", STAYS, fields),
    initialReplicas: 5,
    updates: { update: QUICK, rollback: QUICK },
  };
}

test("what finds no room is held and said, keeps no rollout from its end, and comes when there is room", async (t) => {
  const on = await Running.start(t, undefined, CAPACITY);
  const rolloutIsDone = (revision: number) =>
    eventually(`revision ${revision} is done`, () =>
      on.orchestrator.rollouts.some((one) => one.state === "done" && one.revision === revision),
    );
  await on.up(version(1));
  await on.count(2);
  await on.held(/needs 1\.0 cores, 0\.5 free/u);
  assert.equal(on.orchestrator.shortOf("shop_web"), "needs 1.0 cores, 0.5 free");
  assert.equal(on.orchestrator.desiredReplicas("shop_web"), 5);
  await rolloutIsDone(1);

  const sentences = new Set<string>();
  on.actions.length = 0;
  await on.up(version(2));
  await eventually("all are new", () => {
    for (const { state, sentence } of on.orchestrator.rollouts)
      if (state === "updating") sentences.add(sentence);
    const ready = on.replicas().filter(({ state }) => state === "running");
    return ready.length === 2 && ready.every((one) => one.templateHash === version(2).templateHash);
  });
  await rolloutIsDone(2);
  const oneAfterTheOther = [1, 2].flatMap((slot) =>
    ["stop", "remove", "create", "start"].map((verb) => `${verb} shop_web ${slot}: done`),
  );
  assert.deepEqual(on.actions, oneAfterTheOther);
  const why = "stop-first, because there is no room for one more beside them: one needs 1.0 cores, 0.5 free";
  assert.ok(
    [...sentences].some((sentence) => sentence.endsWith(why)),
    [...sentences].join("\n"),
  );

  on.orchestrator.setReplicas("shop_web", 1);
  await on.count(1);
  await eventually("nothing is held", () => on.orchestrator.shortOf("shop_web") === undefined);
  on.orchestrator.setReplicas("shop_web", 2);
  await on.count(2);
});
