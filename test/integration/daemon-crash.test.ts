import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type LabEngine, labEngines, skipWithoutEngine } from "../lab/engines.ts";
import { eventually, FlyballHouse, SERVICE } from "./flyball-daemon.ts";

const engines = await labEngines();

/** The same moments at every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Volumes are counted by the chaos story, which has engines of its own: here others leave theirs. */
async function surviveKills(t: TestContext, kills: number, lab?: LabEngine): Promise<void> {
  const house = await FlyballHouse.open(t, lab);
  const random = seeded(20_261_121);
  // Roughly, so that most of the kills are in the middle of it.
  const scalingTakesMs = lab === undefined ? 150 : 1_200;
  const file = house.compose(`  web:${SERVICE}`);
  await house.serve();
  await house.must("up", "-f", file);
  await house.untilHas(1);

  const tookMs: number[] = [];
  for (let kill = 0; kill < kills; kill += 1) {
    const target = kill % 2 === 0 ? 5 : 2;
    await house.client.scale(house.serviceId(), { replicas: target });
    const delayMs = Math.floor(random() * scalingTakesMs);
    await sleep(delayMs);
    await house.kill();
    const startedMs = performance.now();
    await house.serve();
    await eventually(
      `${target} replicas run after a kill ${delayMs} ms into scaling`,
      () => house.has(target),
      { about: () => house.output },
    );
    tookMs.push(Math.round(performance.now() - startedMs));
    assert.equal((await house.counts()).desired, target);
  }
  t.diagnostic(`from the restart to the desired count: ${tookMs.join(", ")} ms`);

  await house.must("down", "-f", file);
  await eventually("the project is forgotten", async () => (await house.client.services()).length === 0);
  await house.untilHas(0);
  if (lab !== undefined) {
    await eventually(
      "containers and networks are gone",
      async () => (await house.leftInDocker()).length === 0,
    );
  }
  assert.equal(await house.stop(), 0);
  await house.assertNothingLeft();
}

describe("a daemon that is killed in the middle of scaling and started again", () => {
  test("on the process engine has the desired count again, and nothing is orphaned", (t) =>
    surviveKills(t, 5));

  test("on a Docker Engine", { skip: skipWithoutEngine(engines) }, async (t) => {
    for (const lab of engines) {
      await t.test(`${lab.name} has the desired count again, and nothing is orphaned`, (sub) =>
        surviveKills(sub, 3, lab),
      );
    }
  });

  test("in the middle of a removal goes on with it", async (t) => {
    const house = await FlyballHouse.open(t);
    const file = house.compose(`  web:${SERVICE}    deploy: { replicas: 4 }\n`);
    await house.serve();
    await house.must("up", "-f", file);
    await house.untilHas(4);
    await house.client.removeProject(house.project);
    await house.kill();
    await house.serve();
    await house.untilHas(0);
    await eventually("the project is forgotten", async () => (await house.client.services()).length === 0);
    assert.equal(await house.stop(), 0);
    await house.assertNothingLeft();
  });

  test("stopped in good order leaves its replicas as they are, and finds them again", async (t) => {
    const house = await FlyballHouse.open(t);
    const file = house.compose(`  web:${SERVICE}    deploy: { replicas: 2 }\n`);
    await house.serve();
    await house.must("up", "-f", file);
    await house.untilHas(2);
    const before = (await house.seen()).map(({ id }) => id).toSorted();
    assert.equal(await house.stop(), 0);
    assert.deepEqual((await house.seen()).map(({ id }) => id).toSorted(), before);
    await house.serve();
    await eventually("both are ready", async () => (await house.counts()).ready === 2);
    assert.deepEqual((await house.seen()).map(({ id }) => id).toSorted(), before);
  });
});
