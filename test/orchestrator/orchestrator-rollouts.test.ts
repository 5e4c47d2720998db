import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isFlyballError } from "../../core/errors.ts";
import type { Service, UpdateRequest } from "../../core/types.ts";
import type { RolloutView } from "../../orchestrator/rollout/view.ts";
import { eventually, Running, STAYS, shell } from "./real-engine.ts";

const QUICK: UpdateRequest = { monitorMs: 200 };
const updates = (update: UpdateRequest = QUICK) => ({ updates: { update, rollback: QUICK } });

/** Three replicas of a version of the service. */
function version(number: number, update?: UpdateRequest, line = STAYS): Service {
  const definition = shell("web", line, { environment: { VERSION: String(number) } });
  return { ...definition, initialReplicas: 3, ...updates(update) };
}

const GOOD = version(1);
const BAD = version(2, QUICK, "exit 7");

function rolloutOf(on: Running): RolloutView | undefined {
  return on.orchestrator.rollouts.find(({ service }) => service === "shop_web");
}

async function rolloutIs(on: Running, state: RolloutView["state"], revision: number): Promise<RolloutView> {
  return await eventually(`the rollout to revision ${revision} is ${state}`, () => {
    const rollout = rolloutOf(on);
    return rollout?.state === state && rollout.revision === revision && rollout;
  });
}

async function upAndHealthy(on: Running, service = GOOD): Promise<void> {
  await on.up(service);
  await on.count(3);
  await rolloutIs(on, "done", 1);
}

describe("rollouts with real processes", { concurrency: 4 }, () => {
  test("a changed definition comes beside the old one first, and the ready count never falls", async (t) => {
    const on = await Running.start(t);
    await upAndHealthy(on);
    const before = on.replicas().map(({ id }) => id);
    on.actions.length = 0;
    let fewest = 3;
    let most = 3;
    await on.up(version(2));
    await eventually("all are new", () => {
      const replicas = on.replicas();
      fewest = Math.min(fewest, replicas.filter(({ state }) => state === "running").length);
      most = Math.max(most, replicas.length);
      return replicas.length === 3 && replicas.every(({ id }) => !before.includes(id));
    });
    assert.equal(fewest, 3);
    assert.equal(most, 4, "one at a time");
    const done = await rolloutIs(on, "done", 2);
    assert.equal(done.updated, 3);
    assert.equal(done.failures, 0);
    assert.equal(on.orchestrator.service("shop_web")?.templateHash, version(2).templateHash);
    assert.deepEqual(
      on.orchestrator.revisionsOf("shop_web").map(({ number, outcome }) => [number, outcome]),
      [
        [2, "healthy"],
        [1, "healthy"],
      ],
    );
  });

  test("stop-first replaces in the slot, one after the other", async (t) => {
    const on = await Running.start(t);
    await upAndHealthy(on);
    on.actions.length = 0;
    await on.up(version(2, { ...QUICK, order: "stop-first" }));
    await rolloutIs(on, "done", 2);
    const oneAfterTheOther = [1, 2, 3].flatMap((slot) => [
      `stop shop_web ${slot}: done`,
      `remove shop_web ${slot}: done`,
      `create shop_web ${slot}: done`,
      `start shop_web ${slot}: done`,
    ]);
    assert.deepEqual(on.actions, oneAfterTheOther);
  });

  test("a bad version is rolled back while the count is changed: the old one serves throughout", async (t) => {
    const on = await Running.start(t);
    await upAndHealthy(on);
    const serving = () =>
      on
        .replicas()
        .filter(({ templateHash, state }) => templateHash === GOOD.templateHash && state === "running");
    let fewest = 3;
    await on.up(BAD);
    on.orchestrator.setReplicas("shop_web", 5);
    const rolledBack = await eventually("it is rolled back", () => {
      fewest = Math.min(fewest, serving().length);
      const rollout = rolloutOf(on);
      return rollout?.state === "rolled back" && rollout;
    });
    assert.equal(fewest, 3);
    assert.match(
      rolledBack.sentence,
      /^rolled back to revision 1 from revision 2: its replica \d ended with status 7$/,
    );
    await on.count(5);
    assert.equal(serving().length, 5);
    assert.equal(on.orchestrator.desiredReplicas("shop_web"), 5);
    const [bad] = on.orchestrator.revisionsOf("shop_web");
    assert.equal(bad?.outcome, "failed");
    assert.match(bad?.reason ?? "", /ended with status 7/);
  });

  test("a bad version that is to be paused leaves the count as it is asked for, of the old one", async (t) => {
    const on = await Running.start(t);
    await upAndHealthy(on);
    await on.up(version(2, { ...QUICK, failureAction: "pause" }, "exit 7"));
    const paused = await rolloutIs(on, "paused", 2);
    assert.match(
      paused.sentence,
      /^paused on the way from revision 1 to revision 2, 0 of 3 replicas .*status 7$/,
    );
    await on.count(3);
    on.orchestrator.setReplicas("shop_web", 4);
    const four = await on.count(4);
    assert.ok(four.every(({ templateHash }) => templateHash === GOOD.templateHash));
    await on.held(/to revision 2: .* paused: its replica \d ended with status 7/);
  });

  test("somebody asks to go back: the last healthy version, with the count of now", async (t) => {
    const on = await Running.start(t);
    await upAndHealthy(on);
    await on.up(version(2));
    await rolloutIs(on, "done", 2);
    on.orchestrator.setReplicas("shop_web", 2);
    await on.count(2);
    const begun = on.orchestrator.rollback("shop_web");
    assert.equal(begun.state, "rolling back");
    await rolloutIs(on, "rolled back", 1);
    const two = await on.count(2);
    assert.ok(two.every(({ templateHash }) => templateHash === GOOD.templateHash));
    assert.equal(on.orchestrator.service("shop_web")?.template.environment["VERSION"], "1");
  });

  test("with nothing healthy to go back to, going back is refused", async (t) => {
    const on = await Running.start(t);
    await upAndHealthy(on);
    const isRefusal = (error: unknown) => isFlyballError(error) && error.code === "NOT_FOUND";
    assert.throws(() => on.orchestrator.rollback("shop_web"), isRefusal);
    assert.throws(() => on.orchestrator.rollback("shop_nothing"), isRefusal);
    assert.throws(() => on.orchestrator.resumeRollout("shop_web"), isRefusal);
  });

  test("a mended version takes the place of one that all crash", async (t) => {
    const on = await Running.start(t);
    await on.up({ ...shell("web", "exit 1"), initialReplicas: 2, ...updates() });
    await eventually(
      "both have ended",
      () => on.replicas().filter(({ state }) => state === "exited").length === 2,
    );
    await on.up({ ...shell("web", STAYS), initialReplicas: 2, ...updates() });
    await on.count(2);
    await rolloutIs(on, "done", 2);
  });

  test("the plan of a change says what the first pass does, and changes nothing", async (t) => {
    const on = await Running.start(t);
    await upAndHealthy(on);
    const plan = await on.plan(version(2));
    assert.deepEqual(
      plan.actions.map(({ kind, cause }) => `${kind}: ${cause}`),
      [
        "create-replica: to revision 2, before an old one goes",
        "start-replica: to revision 2, before an old one goes",
      ],
    );
    assert.equal(rolloutOf(on)?.revision, 1);
  });
});
