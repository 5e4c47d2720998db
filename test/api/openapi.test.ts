import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { Validator } from "@seriousme/openapi-schema-validator";
import type { OpenApiDocument, Operation } from "../../api/openapi/document.ts";
import { ROUTES } from "../../api/routes.ts";
import { alert, job } from "./control-double.ts";
import { observed, replica, service } from "./discovery/builders.ts";
import { json, startTestApi } from "./harness.ts";
import { DeclaredAnswers } from "./openapi-answers.ts";

const run = promisify(execFile);
const API = new URL("../../api/", import.meta.url);

type Server = Awaited<ReturnType<typeof startTestApi>>;

async function documentFrom(server: Server): Promise<OpenApiDocument> {
  const response = await server.fetch("/openapi.json");
  assert.equal(response.status, 200);
  return (await response.json()) as OpenApiDocument;
}

function operation(document: OpenApiDocument, method: string, path: string): Operation {
  return document.paths[path]?.[method] ?? assert.fail(`${method} ${path} is not in the document`);
}

const project = { compose: { services: {} }, workingDirectory: "/srv/shop", composeFiles: ["compose.yaml"] };
const silence = { matchers: [{ name: "service", value: "shop_web" }], endsAtMs: 4e12, author: "ann" };
const token = { name: "ci", scope: "read", createdAtMs: 1 } as const;

/** A request for each operation that answers JSON; the ways in which it can be refused are told elsewhere. */
const REQUESTS: Readonly<Record<string, readonly [path: string, init?: RequestInit]>> = {
  "GET /healthz": ["/healthz"],
  "GET /readyz": ["/readyz"],
  "GET /metrics": ["/metrics"],
  "GET /openapi.json": ["/openapi.json"],
  "GET /v1/services": ["/v1/services"],
  "GET /v1/services/{id}": ["/v1/services/shop_web"],
  "GET /v1/services/{id}/decisions": ["/v1/services/shop_web/decisions?verify=true"],
  "GET /v1/services/{id}/explain": ["/v1/services/shop_web/explain"],
  "GET /v1/services/{id}/history": ["/v1/services/shop_web/history?from=1700000000000"],
  "GET /v1/services/{id}/failures": ["/v1/services/shop_web/failures"],
  "GET /v1/services/{id}/endpoints": ["/v1/services/shop_web/endpoints"],
  "GET /v1/services/{id}/logs": ["/v1/services/shop_web/logs"],
  "PUT /v1/services/{id}/scale": ["/v1/services/shop_web/scale", json("PUT", { replicas: 3 })],
  "PUT /v1/services/{id}/autoscale": ["/v1/services/shop_web/autoscale", json("PUT", { mode: "paused" })],
  "PUT /v1/services/{id}/rollback": ["/v1/services/shop_web/rollback", { method: "PUT" }],
  "PUT /v1/services/{id}/rollout/resume": ["/v1/services/shop_web/rollout/resume", { method: "PUT" }],
  "PUT /v1/services/{id}/trial": ["/v1/services/shop_web/trial", json("PUT", { do: "abort" })],
  "GET /v1/audit": ["/v1/audit"],
  "PUT /v1/projects/{name}": ["/v1/projects/shop", json("PUT", project)],
  "POST /v1/projects/{name}/plan": ["/v1/projects/shop/plan", json("POST", project)],
  "DELETE /v1/projects/{name}": ["/v1/projects/shop", { method: "DELETE" }],
  "GET /v1/rollouts": ["/v1/rollouts"],
  "GET /v1/jobs": ["/v1/jobs"],
  "GET /v1/jobs/{id}/runs": [`/v1/jobs/${job.service}/runs`],
  "POST /v1/jobs/{id}/runs": [`/v1/jobs/${job.service}/runs`, { method: "POST" }],
  "GET /v1/doctor": ["/v1/doctor"],
  "GET /v1/leftovers": ["/v1/leftovers"],
  "POST /v1/leftovers/sweep": ["/v1/leftovers/sweep", json("POST", { keys: [] })],
  "GET /v1/alerts": ["/v1/alerts"],
  "POST /v1/alerts/{id}/ack": [`/v1/alerts/${alert.id}/ack`, json("POST", { by: "ann" })],
  "GET /v1/silences": ["/v1/silences"],
  "POST /v1/silences": ["/v1/silences", json("POST", silence)],
  "DELETE /v1/silences/{id}": ["/v1/silences/s1", { method: "DELETE" }],
  "POST /v1/channels/{name}/test": ["/v1/channels/mail/test", { method: "POST" }],
  "GET /v1/tokens": ["/v1/tokens"],
  "POST /v1/tokens": ["/v1/tokens", json("POST", { name: "ci", scope: "read" })],
  "DELETE /v1/tokens/{name}": ["/v1/tokens/ci", { method: "DELETE" }],
  "GET /v1/audit/writes": ["/v1/audit/writes"],
  "GET /v1/endpoints": ["/v1/endpoints"],
  "GET /v1/sd/prometheus": ["/v1/sd/prometheus"],
};
/** It is no page: its handshake is told of in the tests of the stream. */
const STREAM = "GET /v1/stream";

function withAccess(server: Server): Server {
  server.control.access = {
    tokens: {
      areThere: false,
      list: () => [token],
      find: () => undefined,
      create: () => ({ ...token, token: "flyball_x" }),
      revoke: () => {},
    },
    writes: {
      add: () => {},
      list: () => [{ atMs: 1, by: "ci", method: "PUT", path: "/v1/projects/shop", status: 200 }],
    },
  };
  return server;
}

describe("the description of the API", () => {
  test("is OpenAPI 3.1 by the rules of OpenAPI itself", async () => {
    await using server = await startTestApi();
    const validator = new Validator();
    const { valid, errors } = await validator.validate(await documentFrom(server));
    assert.deepEqual(
      { valid, errors, version: validator.version },
      { valid: true, errors: undefined, version: "3.1" },
    );
  });

  test("names every route there is and no other, each once, with a sentence about it", async () => {
    await using server = await startTestApi();
    const document = await documentFrom(server);
    const declared = new DeclaredAnswers(document).operations;
    const registered = ROUTES.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
    assert.deepEqual(declared.toSorted(), registered.toSorted());
    const all = Object.values(document.paths).flatMap((methods) => Object.values(methods));
    assert.equal(new Set(all.map(({ operationId }) => operationId)).size, registered.length);
    for (const { summary } of all) assert.match(summary, /^[a-z][^\n]{10,120}[^.\n]$/);
  });

  test("says of every parameter in a path that it is needed, and of every other that it is not, and what it means", async () => {
    await using server = await startTestApi();
    for (const [path, methods] of Object.entries((await documentFrom(server)).paths)) {
      for (const { parameters } of Object.values(methods)) {
        const inPath = parameters.filter((parameter) => parameter.in === "path");
        assert.deepEqual(
          inPath.map(({ name }) => `{${name}}`),
          path.match(/\{\w+\}/g) ?? [],
        );
        for (const { name, required, description, ...parameter } of parameters) {
          assert.equal(required, parameter.in === "path", `${path} ${name}`);
          assert.ok(description !== undefined, `${path} ${name} is not described`);
        }
      }
    }
  });

  test("says what a token must be good for, and where none is asked for", async () => {
    await using server = await startTestApi();
    const document = await documentFrom(server);
    const needed = (method: string, path: string) => operation(document, method, path).security;
    assert.deepEqual(needed("get", "/healthz"), []);
    assert.deepEqual(needed("get", "/v1/services"), [{ bearer: ["read"] }]);
    assert.deepEqual(needed("put", "/v1/services/{id}/scale"), [{ bearer: ["scale"] }]);
    assert.deepEqual(needed("post", "/v1/tokens"), [{ bearer: ["admin"] }]);
    assert.deepEqual(needed("post", "/v1/projects/{name}/plan"), [{ bearer: ["read"] }]);
  });

  test("has bodies as a client writes them: what is filled in by itself may be left out", async () => {
    await using server = await startTestApi();
    const { schemas = {} } = (await documentFrom(server)).components;
    const required = (name: string) => (schemas[name] as { required?: string[] }).required;
    assert.deepEqual(required("ScaleRequest"), ["replicas"]);
    assert.deepEqual(required("AckRequest"), ["by"]);
    assert.deepEqual(required("SilenceRequest"), ["matchers", "endsAtMs", "author"]);
    assert.ok(required("Silence")?.includes("comment"));
  });

  test("is asked for with the token of the API like any other page", async () => {
    await using server = await startTestApi({ token: "a-token-of-sufficient-length" });
    assert.equal((await server.fetch("/openapi.json")).status, 401);
  });

  test("is not loaded before somebody asks for it", async () => {
    const program = `
      import { registerHooks } from "node:module";
      const loaded = [];
      registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
      const { ROUTES } = await import(${JSON.stringify(API.href)} + "routes.ts");
      const isThere = () => loaded.some((url) => url.endsWith("/openapi/document.ts"));
      const before = isThere();
      await ROUTES.find(({ path }) => path === "/openapi.json").answer({}, { params: {}, query: {} });
      console.log(before, isThere());
    `;
    const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", program]);
    assert.equal(stdout, "false true\n");
  });

  test("leaves the stream to those who can open a websocket", async () => {
    await using server = await startTestApi();
    const response = await server.fetch("/v1/stream");
    assert.equal(response.status, 426);
    assert.equal(response.headers.get("upgrade"), "websocket");
  });
});

describe("what the API answers", () => {
  test("is asked for below, page by page", async () => {
    assert.deepEqual(
      [...Object.keys(REQUESTS), STREAM].toSorted(),
      ROUTES.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`).toSorted(),
    );
  });

  for (const [name, [path, init]] of Object.entries(REQUESTS)) {
    test(`to ${name} is what the description promises, field by field`, async () => {
      await using server = withAccess(await startTestApi());
      server.control.running = [service("web")];
      server.control.discovery.observed(observed([replica("web", 1)]));
      const declared = new DeclaredAnswers(await documentFrom(server));
      const answer = await server.fetch(path, init);
      assert.ok(answer.ok, `${answer.status}`);
      await declared.assertDeclared(name, answer);
    });
  }

  test("goes on as events where the description says so, and nowhere else", async () => {
    await using server = withAccess(await startTestApi());
    server.control.running = [service("web")];
    server.control.discovery.observed(observed([replica("web", 1)]));
    const document = await documentFrom(server);
    const found: Record<"declared" | "answered", string[]> = { declared: [], answered: [] };
    for (const [name, [path]] of Object.entries(REQUESTS)) {
      const [method = "", page = ""] = name.split(" ");
      if (method !== "GET") continue;
      const declared = JSON.stringify(operation(document, "get", page).responses);
      if (declared.includes('"text/event-stream"')) found.declared.push(name);
      const answer = await server.fetch(path, { headers: { accept: "text/event-stream" } });
      await answer.body?.cancel();
      if (answer.headers.get("content-type")?.startsWith("text/event-stream")) found.answered.push(name);
    }
    assert.equal(found.declared.length, 2);
    assert.deepEqual(found.answered, found.declared);
  });

  test("when it refuses is a problem document, and one that is declared", async () => {
    await using server = await startTestApi();
    const declared = new DeclaredAnswers(await documentFrom(server));
    const refusals: [string, string, RequestInit?][] = [
      ["GET /v1/services/{id}", "/v1/services/nobody"],
      ["GET /v1/services", "/v1/services?more=1"],
      ["PUT /v1/services/{id}/scale", "/v1/services/shop_web/scale", json("PUT", { replica: 1 })],
      ["PUT /v1/services/{id}/scale", "/v1/services/shop_web/scale", { method: "PUT" }],
      ["PUT /v1/services/{id}/scale", "/v1/services/shop_web/scale", json("PUT", "x".repeat(2 ** 21))],
    ];
    const seen: number[] = [];
    for (const [name, path, init] of refusals) {
      const answer = await server.fetch(path, init);
      seen.push(answer.status);
      if (name !== "GET /v1/services") await declared.assertDeclared(name, answer);
    }
    assert.deepEqual(seen, [404, 422, 422, 415, 413]);
  });
});
