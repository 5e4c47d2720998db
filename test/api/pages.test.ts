import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { auditSchema, decisionListSchema, projectAnswerSchema, serviceListSchema } from "../../core/wire.ts";
import { historySchema } from "../../core/wire-history.ts";
import { shopWeb } from "./control-double.ts";
import { json, startTestApi } from "./harness.ts";

const project = { compose: { services: {} }, workingDirectory: "/srv/shop", composeFiles: ["compose.yaml"] };

describe("the pages of the API", () => {
  test("healthz answers ok while the process lives", async () => {
    await using server = await startTestApi();
    const response = await server.fetch("/healthz");
    assert.equal(response.status, 200);
    assert.equal(await response.text(), "ok");
  });

  test("readyz answers 200 when ready and 503 when not, and says what it waits for in both cases", async () => {
    await using server = await startTestApi();
    assert.equal((await server.fetch("/readyz")).status, 200);
    server.control.ready = false;
    const response = await server.fetch("/readyz");
    assert.equal(response.status, 503);
    assert.deepEqual(await response.json(), { ready: false, engine: "docker 26.1", collector: "running" });
  });

  test("metrics are answered in the type the exporter names", async () => {
    await using server = await startTestApi();
    const response = await server.fetch("/metrics");
    assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert.equal(await response.text(), "flyball_up 1\n");
  });

  test("services are listed, and one is shown with its replicas", async () => {
    await using server = await startTestApi();
    const list = serviceListSchema.parse(await (await server.fetch("/v1/services")).json());
    assert.deepEqual(
      list.services.map((service) => service.id),
      ["shop_web"],
    );
    assert.deepEqual(await (await server.fetch("/v1/services/shop_web")).json(), shopWeb);
  });

  test("decisions are asked for with a limit of 50, all of them, unless the query says otherwise", async () => {
    await using server = await startTestApi();
    await server.fetch("/v1/services/shop_web/decisions");
    await server.fetch("/v1/services/shop_web/decisions?limit=7&changes=true");
    assert.deepEqual(server.control.calls, [
      { decisions: "shop_web", limit: 50, changesOnly: false },
      { decisions: "shop_web", limit: 7, changesOnly: true },
    ]);
  });

  test("the audit is answered newest first, 50 lines unless the query says otherwise", async () => {
    await using server = await startTestApi();
    const { lines } = auditSchema.parse(await (await server.fetch("/v1/audit")).json());
    assert.deepEqual(
      lines.map(({ who, from, to }) => [who, from, to]),
      [["docker compose", 3, 1]],
    );
    assert.equal((await server.fetch("/v1/audit?limit=0")).status, 422);
    await server.fetch("/v1/audit?limit=7");
    assert.deepEqual(server.control.calls, [{ audit: 50 }, { audit: 7 }]);
  });

  test("an explanation is asked for at an instant in either spelling, or at none", async () => {
    await using server = await startTestApi();
    const at = (text: string) => server.fetch(`/v1/services/shop_web/explain${text}`);
    await at("?at=2026-11-21T08:00:00Z");
    await at(`?at=${encodeURIComponent("2026-11-21T09:00:00.5+01:00")}`);
    await at("?at=1700000000000");
    assert.equal((await at("")).status, 200);
    const asked = Date.UTC(2026, 10, 21, 8);
    assert.deepEqual(
      server.control.calls.map((call) => (call as { atMs: number }).atMs),
      [asked, asked + 500, 1_700_000_000_000, undefined],
    );
  });

  test("recorded decisions are verified when the query says so", async () => {
    await using server = await startTestApi();
    const response = await server.fetch("/v1/services/shop_web/decisions?limit=1&verify=true");
    const { verification } = decisionListSchema.parse(await response.json());
    assert.deepEqual(verification, { recorded: 3, identical: 3 });
  });

  test("a history is asked for from one instant to another, and the answer is as the schema says", async () => {
    await using server = await startTestApi();
    const at = (text: string) => server.fetch(`/v1/services/shop_web/history${text}`);
    const response = await at("?from=1700000000000&to=2026-11-21T08:00:00Z");
    const { minutes } = historySchema.parse(await response.json());
    assert.deepEqual(minutes, [
      { atMs: 1_700_000_000_000, readings: 60, replicas: 2, demand: { cpu: 0.84 } },
    ]);
    assert.deepEqual(server.control.calls, [
      { history: "shop_web", fromMs: 1_700_000_000_000, toMs: Date.UTC(2026, 10, 21, 8) },
    ]);
    const refused = await at("?from=1700000000000&to=1700000000000");
    assert.equal(refused.status, 422);
    assert.match(await refused.text(), /\?from: expected an instant before that of \?to/);
    assert.equal((await server.fetch("/v1/services/nobody/history")).status, 404);
  });

  test("a service is paused, resumed, approved and put in shadow", async () => {
    await using server = await startTestApi();
    const put = (mode: string) => server.fetch("/v1/services/shop_web/autoscale", json("PUT", { mode }));
    assert.deepEqual(await (await put("paused")).json(), { service: "shop_web", mode: "paused" });
    assert.deepEqual(await (await put("resumed")).json(), { service: "shop_web", mode: "live" });
    assert.equal((await put("asleep")).status, 422);
    assert.deepEqual(server.control.calls, [
      { autoscale: "shop_web", mode: "paused" },
      { autoscale: "shop_web", mode: "resumed" },
    ]);
  });

  test("a service is scaled with a reason", async () => {
    await using server = await startTestApi();
    const request = json("PUT", { replicas: 3, reason: "a sale" });
    const response = await server.fetch("/v1/services/shop_web/scale", request);
    assert.deepEqual(await response.json(), { service: "shop_web", from: 2, to: 3 });
    assert.deepEqual(server.control.calls, [{ scale: "shop_web", replicas: 3, reason: "a sale" }]);
  });

  test("a project is planned, applied and removed", async () => {
    await using server = await startTestApi();
    const planned = await server.fetch("/v1/projects/shop/plan", json("POST", project));
    assert.deepEqual(projectAnswerSchema.parse(await planned.json()).plan, [
      { action: "create shop-web-1", cause: "shop_web has 0 of 1 replicas" },
    ]);
    assert.equal((await server.fetch("/v1/projects/shop", json("PUT", project))).status, 200);
    assert.equal((await server.fetch("/v1/projects/shop", { method: "DELETE" })).status, 200);
    assert.deepEqual(server.control.calls, [
      { plan: "shop" },
      { apply: "shop", services: ["services"] },
      { remove: "shop" },
    ]);
  });

  test("HEAD answers as GET does, without a body", async () => {
    await using server = await startTestApi();
    const response = await server.fetch("/v1/services", { method: "HEAD" });
    assert.equal(response.status, 200);
    assert.equal(await response.text(), "");
  });

  test("no answer is kept by a cache, guessed at by a browser, tagged, or signed by express", async () => {
    await using server = await startTestApi();
    for (const path of ["/v1/services", "/metrics", "/nothing"]) {
      const { headers } = await server.fetch(path);
      assert.equal(headers.get("cache-control"), "no-store", path);
      assert.equal(headers.get("x-content-type-options"), "nosniff", path);
      assert.equal(headers.get("etag"), null, path);
      assert.equal(headers.get("x-powered-by"), null, path);
    }
  });
});
