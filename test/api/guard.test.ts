import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { json, problem, raw, startTestApi, TOKEN } from "./harness.ts";

const scale = json("PUT", { replicas: 3 });
const scalePath = "/v1/services/shop_web/scale";

describe("who may speak to the API", () => {
  test("with a token, every page but the two for supervisors wants it", async () => {
    await using server = await startTestApi({ token: TOKEN });
    for (const path of ["/metrics", "/v1/services", "/nothing", "/healthz/x"]) {
      const response = await server.fetch(path);
      assert.equal(response.status, 401, path);
      assert.equal(response.headers.get("www-authenticate"), "Bearer");
      assert.equal((await problem(response)).code, "UNAUTHORIZED");
    }
    for (const path of ["/healthz", "/readyz"]) assert.equal((await server.fetch(path)).status, 200, path);
  });

  test("the right token opens, in any case of the word Bearer, and no other does", async () => {
    await using server = await startTestApi({ token: TOKEN });
    const status = async (authorization: string) =>
      (await server.fetch("/v1/services", { headers: { authorization } })).status;
    assert.equal(await status(`Bearer ${TOKEN}`), 200);
    assert.equal(await status(`bearer ${TOKEN}`), 200);
    for (const wrong of [`Bearer ${TOKEN}x`, "Bearer", `Basic ${TOKEN}`, TOKEN, `Bearer ${TOKEN} ${TOKEN}`]) {
      assert.equal(await status(wrong), 401, wrong);
    }
  });

  test("a request without the token does nothing", async () => {
    await using server = await startTestApi({ token: TOKEN });
    assert.equal((await server.fetch(scalePath, scale)).status, 401);
    assert.deepEqual(server.control.calls, []);
  });

  test("on loopback, the Host header must name this machine", async () => {
    await using server = await startTestApi();
    const statusFor = async (host: string) =>
      (await raw(server.port, ["GET /v1/services HTTP/1.1", `Host: ${host}`])).split(" ")[1];
    for (const host of ["localhost", `LOCALHOST:${server.port}`, "127.0.0.1:8080", "[::1]:7070"]) {
      assert.equal(await statusFor(host), "200", host);
    }
    for (const host of [
      "evil.example",
      `evil.example:${server.port}`,
      "localhost.evil.example",
      "localhost@evil.example",
      "127.0.0.1.evil.example",
      "127.0.0.1:80:80",
      "",
    ]) {
      assert.equal(await statusFor(host), "403", host);
    }
  });

  test("a request of the old protocol without a Host header is refused", async () => {
    await using server = await startTestApi();
    assert.match(await raw(server.port, ["GET /v1/services HTTP/1.0"]), /^HTTP\/1\.1 403 /);
  });

  test("beyond loopback the token decides, whatever name the machine was called by", async () => {
    await using server = await startTestApi({ host: "0.0.0.0", token: TOKEN });
    const answer = await raw(server.port, [
      "GET /v1/services HTTP/1.1",
      "Host: flyball.example",
      `Authorization: Bearer ${TOKEN}`,
    ]);
    assert.match(answer, /^HTTP\/1\.1 200 /);
  });

  test("a page of another origin may not change anything", async () => {
    await using server = await startTestApi();
    for (const origin of ["http://evil.example", "http://localhost:3000", "null", "file://", "nonsense"]) {
      const headers = { "content-type": "application/json", origin };
      const response = await server.fetch(scalePath, { ...scale, headers });
      assert.equal(response.status, 403, origin);
      assert.equal((await problem(response)).code, "FORBIDDEN");
    }
    assert.deepEqual(server.control.calls, []);
  });

  test("a page of our own origin may", async () => {
    await using server = await startTestApi();
    const headers = { "content-type": "application/json", origin: server.url };
    assert.equal((await server.fetch(scalePath, { ...scale, headers })).status, 200);
  });

  test("a page of another origin that reads is given no leave to see the answer", async () => {
    await using server = await startTestApi();
    const response = await server.fetch("/v1/services", { headers: { origin: "http://evil.example" } });
    const cors = [...response.headers.keys()].filter((name) => name.startsWith("access-control-"));
    assert.deepEqual(cors, []);
    const preflight = await server.fetch(scalePath, {
      method: "OPTIONS",
      headers: { origin: "http://evil.example", "access-control-request-method": "PUT" },
    });
    assert.equal(preflight.status, 403);
  });
});
