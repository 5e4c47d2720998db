import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Client, isReachable } from "../../cli/client.ts";
import { waitUntilReady } from "../../cli/readiness.ts";
import { freePort } from "../lab/free-port.ts";
import { decision, projectAnswer, web, webDetail } from "./documents.ts";
import { type Recording, startRecordedDaemon } from "./recorded-daemon.ts";

const request = { compose: { services: {} }, workingDirectory: "/srv/shop", composeFiles: ["compose.yaml"] };
const readiness = { ready: true, engine: "process", collector: "running" };

function problem(status: number, code: string, extra: object = {}): Recording {
  const body = { type: `urn:flyball:${code}`, title: "t", status, detail: "what happened", code, ...extra };
  return { status, contentType: "application/problem+json", body };
}

describe("the client of the API", () => {
  test("asks each page by its method and path, and reads its answer", async () => {
    await using daemon = await startRecordedDaemon({
      "GET /readyz": { body: readiness },
      "GET /v1/services": { body: { services: [web] } },
      "GET /v1/services/shop_web": { body: webDetail },
      "GET /v1/services/shop_web/decisions?limit=3&changes=true": { body: { decisions: [decision] } },
      "GET /v1/services/shop_web/explain": { body: { lines: ["now"] } },
      "GET /v1/services/shop_web/explain?at=1700000000000": { body: { decision, lines: ["then"] } },
      "PUT /v1/services/shop_web/scale": { body: { service: "shop_web", from: 2, to: 3 } },
      "PUT /v1/projects/shop": { body: projectAnswer },
      "POST /v1/projects/shop/plan": { body: projectAnswer },
      "DELETE /v1/projects/shop": { body: { ...projectAnswer, plan: [] } },
    });
    const client = new Client({ address: daemon.address, token: "a-token-of-sufficient-length" });
    assert.deepEqual(await client.readiness(), readiness);
    assert.deepEqual(await client.services(), [web]);
    assert.deepEqual(await client.service("shop_web"), webDetail);
    assert.deepEqual(await client.decisions("shop_web", { limit: 3, changesOnly: true }), [decision]);
    assert.deepEqual((await client.explain("shop_web", undefined)).lines, ["now"]);
    assert.deepEqual((await client.explain("shop_web", 1_700_000_000_000)).lines, ["then"]);
    assert.equal((await client.scale("shop_web", { replicas: 3, reason: "a sale" })).to, 3);
    assert.deepEqual(await client.applyProject("shop", request), projectAnswer);
    assert.deepEqual(await client.planProject("shop", request), projectAnswer);
    assert.deepEqual((await client.removeProject("shop")).plan, []);

    for (const { headers } of daemon.heard) {
      assert.equal(headers.authorization, "Bearer a-token-of-sufficient-length");
    }
    assert.deepEqual(daemon.heard.find(({ request }) => request.endsWith("/scale"))?.body, {
      replicas: 3,
      reason: "a sale",
    });
    assert.deepEqual(daemon.heard.find(({ request }) => request.startsWith("POST"))?.body, request);
  });

  test("a problem document becomes the error it was, with all that is behind it", async () => {
    const errors = [{ at: "compose.yaml:3:5", message: "expected a port" }];
    await using daemon = await startRecordedDaemon({
      "GET /v1/services": problem(422, "COMPOSE_INVALID", { errors }),
      "GET /readyz": problem(418, "TEAPOT"),
      "GET /v1/services/shop_web": problem(401, "UNAUTHORIZED"),
    });
    const client = new Client({ address: daemon.address });
    await assert.rejects(client.services(), {
      name: "FlyballError",
      code: "COMPOSE_INVALID",
      message: "what happened",
      problems: errors,
    });
    await assert.rejects(client.readiness(), { code: "INTERNAL", message: "what happened" });
    await assert.rejects(client.service("shop_web"), { code: "UNAUTHORIZED", message: /set FLYBALL_TOKEN/ });
  });

  test("nothing at the address: the error names it and how to start a daemon", async () => {
    const address = `http://127.0.0.1:${await freePort()}`;
    const client = new Client({ address });
    await assert.rejects(client.services(), (error: Error & { code: string }) => {
      assert.equal(error.code, "DAEMON_UNREACHABLE");
      assert.ok(error.message.includes(address));
      assert.match(error.message, /ECONNREFUSED.*flyball serve/);
      return true;
    });
    assert.equal(await isReachable(client), false);
  });

  test("something else at the address is told apart from a daemon", async () => {
    await using other = await startRecordedDaemon({
      "GET /readyz": { body: "<html>hello</html>", contentType: "text/html" },
      "GET /v1/services": { status: 302, body: "elsewhere" },
      "GET /v1/services/shop_web": { body: { id: "shop_web" } },
    });
    const client = new Client({ address: other.address });
    for (const asked of [client.readiness(), client.services(), client.service("shop_web")]) {
      await assert.rejects(asked, { code: "DAEMON_UNREACHABLE", message: /is not a Flyball daemon/ });
    }
  });

  test("a daemon that is not ready still answers, and is waited for until it says what is missing", async () => {
    const waiting = { ready: false, engine: "docker: no answer", collector: "running" };
    await using daemon = await startRecordedDaemon({ "GET /readyz": { status: 503, body: waiting } });
    const client = new Client({ address: daemon.address });
    assert.equal(await isReachable(client), true);
    await assert.rejects(waitUntilReady(client, { timeoutMs: 0 }), {
      code: "NOT_READY",
      message: /engine docker: no answer, collector running/,
    });
  });

  test("a daemon that starts may be unreachable at first, one that should run may not", async () => {
    const client = new Client({ address: `http://127.0.0.1:${await freePort()}` });
    await assert.rejects(waitUntilReady(client, { timeoutMs: 0, starting: true }), { code: "NOT_READY" });
    await assert.rejects(waitUntilReady(client, { timeoutMs: 0 }), { code: "DAEMON_UNREACHABLE" });
  });
});
