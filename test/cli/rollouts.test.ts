import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { RolloutAnswer } from "../../core/wire-rollouts.ts";
import { NOW_MS, web } from "./documents.ts";
import { flyball } from "./flyball.ts";
import { startRecordedDaemon } from "./recorded-daemon.ts";

const rollout: RolloutAnswer = {
  service: "shop_web",
  state: "paused",
  templateHash: "third",
  updated: 1,
  total: 4,
  failures: 2,
  startedAtMs: NOW_MS,
  sentence: "paused on the way to revision 3, 1 of 4 replicas have proven healthy",
};
const back: RolloutAnswer = { ...rollout, state: "rolling back", sentence: "rolling back to revision 2" };

describe("flyball rollouts", () => {
  test("says how far each is, or the answer as JSON", async () => {
    await using daemon = await startRecordedDaemon({ "GET /v1/rollouts": { body: { rollouts: [rollout] } } });
    const invocation = { environment: { FLYBALL_ADDRESS: daemon.address } };
    const { printed } = await flyball(["rollouts"], invocation);
    assert.equal(printed, `shop_web: ${rollout.sentence}`);
    assert.deepEqual(JSON.parse((await flyball(["rollouts", "--json"], invocation)).printed), [rollout]);
  });

  test("says so when there was none", async () => {
    await using daemon = await startRecordedDaemon({ "GET /v1/rollouts": { body: { rollouts: [] } } });
    const { printed } = await flyball(["rollouts"], { environment: { FLYBALL_ADDRESS: daemon.address } });
    assert.equal(printed, "no service has had a rollout");
  });
});

test("flyball rollback and resume-rollout name the service as people do", async () => {
  await using daemon = await startRecordedDaemon({
    "GET /v1/services": { body: { services: [web] } },
    "PUT /v1/services/shop_web/rollback": { body: back },
    "PUT /v1/services/shop_web/rollout/resume": { body: rollout },
  });
  const invocation = { environment: { FLYBALL_ADDRESS: daemon.address } };
  assert.equal(
    (await flyball(["rollback", "web"], invocation)).printed,
    "shop_web: rolling back to revision 2",
  );
  assert.match(
    (await flyball(["resume-rollout", "web"], invocation)).printed,
    /^shop_web: paused on the way/,
  );
});
