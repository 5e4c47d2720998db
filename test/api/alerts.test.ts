import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  alertListSchema,
  alertSchema,
  channelTestSchema,
  silenceListSchema,
  silenceSchema,
} from "../../core/wire-alerts.ts";
import { alert } from "./control-double.ts";
import { json, startTestApi } from "./harness.ts";

describe("the pages of alerts", () => {
  test("tell what is wrong", async () => {
    await using server = await startTestApi();
    const { alerts } = alertListSchema.parse(await (await server.fetch("/v1/alerts?limit=20")).json());
    assert.deepEqual(alerts, [alert]);
    assert.deepEqual(server.control.calls, [{ alerts: 20 }]);
  });

  test("take note of who knows", async () => {
    await using server = await startTestApi();
    const path = `/v1/alerts/${alert.id}/ack`;
    const answer = await server.fetch(path, json("POST", { by: "ann", comment: "on it" }));
    assert.equal(alertSchema.parse(await answer.json()).acknowledged?.by, "ann");
    assert.equal((await server.fetch("/v1/alerts/unknown/ack", json("POST", { by: "ann" }))).status, 404);
    assert.equal((await server.fetch(path, json("POST", {}))).status, 422);
  });

  test("make, list and end silences, and refuse one of everything or of no time", async () => {
    await using server = await startTestApi();
    const asked = {
      matchers: [{ name: "service", value: "shop_web" }],
      endsAtMs: 1_900_000_000_000,
      author: "ann",
      comment: "known",
    };
    const made = await server.fetch("/v1/silences", json("POST", asked));
    assert.equal(made.status, 201);
    assert.equal(silenceSchema.parse(await made.json()).author, "ann");
    const listed = await server.fetch("/v1/silences");
    const { silences } = silenceListSchema.parse(await listed.json());
    assert.equal(silences.length, 1);
    assert.equal((await server.fetch("/v1/silences/s1", { method: "DELETE" })).status, 200);
    for (const wrong of [{ matchers: [] }, { startsAtMs: 2e12 }, { author: "" }, { until: 5 }]) {
      const refused = await server.fetch("/v1/silences", json("POST", { ...asked, ...wrong }));
      assert.equal(refused.status, 422, JSON.stringify(wrong));
    }
  });

  test("try a channel", async () => {
    await using server = await startTestApi();
    const answer = await server.fetch("/v1/channels/mail/test", { method: "POST" });
    assert.equal(channelTestSchema.parse(await answer.json()).delivered, true);
    assert.equal((await server.fetch("/v1/channels/pager/test", { method: "POST" })).status, 404);
  });
});
