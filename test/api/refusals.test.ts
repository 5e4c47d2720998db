import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ROUTES } from "../../api/routes.ts";
import { json, problem, startTestApi } from "./harness.ts";

const scalePath = "/v1/services/shop_web/scale";

describe("what the API refuses, as problem documents", () => {
  test("an unknown service is NOT_FOUND with its name", async () => {
    await using server = await startTestApi();
    const response = await server.fetch("/v1/services/shop_wbe");
    assert.deepEqual(await problem(response), {
      type: "urn:flyball:NOT_FOUND",
      title: "there is no such project, service or page",
      status: 404,
      detail: "there is no service shop_wbe",
      code: "NOT_FOUND",
    });
    assert.equal(response.status, 404);
  });

  test("a count outside the bounds is a conflict", async () => {
    await using server = await startTestApi();
    const response = await server.fetch(scalePath, json("PUT", { replicas: 9 }));
    assert.equal(response.status, 409);
    assert.equal((await problem(response)).code, "OUT_OF_BOUNDS");
  });

  test("every problem of a compose file is listed", async () => {
    await using server = await startTestApi();
    const request = json("PUT", { compose: { bad: true }, workingDirectory: "/srv", composeFiles: [] });
    const response = await server.fetch("/v1/projects/shop", request);
    assert.equal(response.status, 422);
    assert.deepEqual((await problem(response)).errors, [
      { at: "compose.yaml:3:5 services.web.ports", message: "expected a port, got seventy" },
      { at: "compose.yaml:9:5 services.api.image", message: "expected an image" },
    ]);
  });

  test("every field of a body that is wrong is named by its JSON pointer", async () => {
    await using server = await startTestApi();
    const response = await server.fetch(scalePath, json("PUT", { replicas: "five", resaon: "a sale" }));
    assert.equal(response.status, 422);
    const { code, errors } = await problem(response);
    assert.equal(code, "REQUEST_INVALID");
    assert.deepEqual(
      errors?.map((error) => error.at),
      ["/replicas", "/resaon"],
    );
    assert.match(errors?.[1]?.message ?? "", /did you mean reason\?/);
    assert.deepEqual(server.control.calls, []);
  });

  test("a body that is not JSON is 400", async () => {
    await using server = await startTestApi();
    const headers = { "content-type": "application/json" };
    const response = await server.fetch(scalePath, { method: "PUT", headers, body: '{"replicas": ' });
    assert.equal(response.status, 400);
    assert.match((await problem(response)).detail, /the body is not JSON/);
  });

  test("a body of another type, or none, is 415", async () => {
    await using server = await startTestApi();
    const form = await server.fetch(scalePath, { method: "PUT", body: new URLSearchParams("replicas=3") });
    assert.equal(form.status, 415);
    assert.match((await problem(form)).detail, /application\/json, got application\/x-www-form-urlencoded/);
    const none = await server.fetch(scalePath, { method: "PUT" });
    assert.equal(none.status, 415);
    await problem(none);
  });

  test("a scale request beyond 1 MiB and a project beyond 8 MiB are 413", async () => {
    await using server = await startTestApi();
    const scale = await server.fetch(scalePath, json("PUT", { reason: "x".repeat(2 ** 20) }));
    assert.equal(scale.status, 413);
    assert.equal((await problem(scale)).code, "REQUEST_INVALID");

    const compose = { text: "x".repeat(2 * 2 ** 20) };
    const small = json("PUT", { compose, workingDirectory: "/srv", composeFiles: [] });
    assert.equal((await server.fetch("/v1/projects/shop", small)).status, 200);
    const large = await server.fetch("/v1/projects/shop", json("PUT", { text: "x".repeat(8 * 2 ** 20) }));
    assert.equal(large.status, 413);
    assert.equal((await problem(large)).code, "COMPOSE_TOO_LARGE");
  });

  test("a body of 10 MB is refused by every route that reads one, whether it says how long it is or not", async () => {
    await using server = await startTestApi();
    const text = JSON.stringify({ text: "x".repeat(10_000_000) });
    const reading = ROUTES.filter(({ bodyLimit }) => bodyLimit !== undefined);
    assert.ok(reading.length > 8);
    for (const { method, path } of reading) {
      const page = path.replaceAll(/:\w+/g, "shop");
      for (const body of [text, new Blob([text]).stream()]) {
        const headers = { "content-type": "application/json" };
        const response = await server.fetch(page, { method, headers, body, duplex: "half" } as RequestInit);
        assert.equal(response.status, 413, `${method} ${path}`);
        await problem(response);
      }
    }
    assert.deepEqual(server.control.calls, []);
  });

  test("a body of 10 MB where none is read is not read", async () => {
    await using server = await startTestApi();
    const response = await server.fetch("/v1/jobs/shop_backup/runs", {
      method: "POST",
      body: "x".repeat(10_000_000),
    });
    assert.equal(response.status, 201);
  });

  test("an unknown query parameter is refused with the names that exist", async () => {
    await using server = await startTestApi();
    const response = await server.fetch("/v1/services/shop_web/decisions?limti=3&changes=yes");
    assert.equal(response.status, 422);
    const { errors } = await problem(response);
    assert.deepEqual(errors?.[0], {
      at: "?limti",
      message: "is not a query parameter: expected limit or changes or verify",
    });
    assert.equal(errors?.[1]?.at, "?changes");
    const none = await problem(await server.fetch("/v1/services?page=2"));
    assert.match(none.detail, /this page has none/);
  });

  test("a limit or an instant that cannot be one is refused", async () => {
    await using server = await startTestApi();
    for (const query of [
      "decisions?limit=0",
      "decisions?limit=1001",
      "decisions?limit=-1",
      "decisions?limit=3&limit=4",
      "explain?at=yesterday",
      "explain?at=9999999999999999",
      "explain?at=2026-13-41T00:00:00Z",
    ]) {
      const response = await server.fetch(`/v1/services/shop_web/${query}`);
      assert.equal(response.status, 422, query);
      await problem(response);
    }
    assert.deepEqual(server.control.calls, []);
  });

  test("a name that no compose project can have is refused", async () => {
    await using server = await startTestApi();
    const response = await server.fetch("/v1/projects/Shop%2F..", { method: "DELETE" });
    assert.equal(response.status, 422);
    assert.match((await problem(response)).detail, /project name/);
    assert.deepEqual(server.control.calls, []);
  });

  test("an unknown page is 404, and a known one with another method 405 with what is allowed", async () => {
    await using server = await startTestApi();
    const nowhere = await server.fetch("/v2/services");
    assert.equal(nowhere.status, 404);
    assert.match((await problem(nowhere)).detail, /\/v2\/services/);

    const project = await server.fetch("/v1/projects/shop");
    assert.equal(project.status, 405);
    assert.equal(project.headers.get("allow"), "PUT, DELETE");
    await problem(project);
    const services = await server.fetch("/v1/services", { method: "OPTIONS" });
    assert.equal(services.headers.get("allow"), "GET, HEAD");
  });

  test("a path that cannot be decoded is 400", async () => {
    await using server = await startTestApi();
    const response = await server.fetch("/v1/services/%ff");
    assert.equal(response.status, 400);
    await problem(response);
  });

  test("a defect tells the client nothing of the inside, and the log everything", async () => {
    await using server = await startTestApi();
    server.control.defect = new TypeError("cannot read properties of the secret part");
    const response = await server.fetch("/v1/services");
    assert.equal(response.status, 500);
    const text = await response.text();
    assert.doesNotMatch(text, /secret|\.ts|at /);
    assert.match(text, /"code":"INTERNAL"/);
    assert.match(server.logLines.join(""), /the secret part.*refusals\.test\.ts/);
  });
});
