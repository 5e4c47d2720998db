import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { rolloutListSchema, rolloutSchema } from "../../core/wire-rollouts.ts";
import { startTestApi } from "./harness.ts";

describe("the pages of rollouts", () => {
  test("tell how far each of them is", async () => {
    await using server = await startTestApi();
    const { rollouts } = rolloutListSchema.parse(await (await server.fetch("/v1/rollouts")).json());
    assert.deepEqual(
      rollouts.map(({ service, state, updated, total }) => [service, state, updated, total]),
      [["shop_web", "updating", 1, 4]],
    );
  });

  test("take a service back, or have a paused rollout go on", async () => {
    await using server = await startTestApi();
    const put = { method: "PUT" };
    const answer = await server.fetch("/v1/services/shop_web/rollback", put);
    assert.equal(rolloutSchema.parse(await answer.json()).state, "rolling back");
    assert.equal((await server.fetch("/v1/services/shop_web/rollout/resume", put)).status, 200);
    assert.deepEqual(server.control.calls, [{ rollback: "shop_web" }, { resume: "shop_web" }]);
    assert.equal((await server.fetch("/v1/services/nobody/rollback", put)).status, 404);
  });

  test("promote what is on trial, give it another weight, or abort it", async () => {
    await using server = await startTestApi();
    const put = (id: string, body: unknown) =>
      server.fetch(`/v1/services/${id}/trial`, {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    assert.equal((await put("shop_web", { do: "promote" })).status, 200);
    assert.equal((await put("shop_web", { do: "promote", weightRatio: 0.8 })).status, 200);
    assert.equal((await put("shop_web", { do: "abort" })).status, 200);
    assert.deepEqual(server.control.calls, [
      { promote: "shop_web", weightRatio: undefined },
      { promote: "shop_web", weightRatio: 0.8 },
      { abort: "shop_web" },
    ]);
    assert.equal((await put("shop_web", { do: "promote", weightRatio: 80 })).status, 422);
    assert.equal((await put("shop_web", { do: "abort", weightRatio: 0.8 })).status, 422);
    assert.equal((await put("nobody", { do: "abort" })).status, 404);
  });
});
