import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { WebSocket } from "ws";
import { Tokens } from "../../../api/access/tokens.ts";
import { Writes } from "../../../api/access/writes.ts";
import { createLog } from "../../../core/log.ts";
import { Store } from "../../../core/store.ts";
import { createdTokenSchema, type Scope, writeListSchema } from "../../../core/wire-access.ts";
import { CLOSE_CODES, STREAM_PROTOCOL } from "../../../core/wire-stream.ts";
import { json, problem, startTestApi, TOKEN } from "../harness.ts";

const NOW_MS = Date.parse("2026-11-21T08:00:00Z");

/** The real tokens and the real audit log, in a store of their own; the clock is the test's. */
async function startWithAccess(options: { token?: string; host?: string; heartbeatMs?: number } = {}) {
  const directory = mkdtempSync(join(tmpdir(), "flyball-access-"));
  const store = new Store(directory);
  const clock = { at: NOW_MS, nowMs: () => clock.at, monotonicMs: () => clock.at };
  const access = {
    tokens: new Tokens(store, clock),
    writes: new Writes(store, clock, createLog("silent")),
  };
  const server = await startTestApi({ ...options, access });
  const as = (token: string | undefined, path: string, init: RequestInit = {}) =>
    server.fetch(path, {
      ...init,
      headers: { ...init.headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    });
  return {
    ...server,
    access,
    clock,
    store,
    directory,
    as,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      store[Symbol.dispose]();
      rmSync(directory, { recursive: true });
    },
  };
}

const scale = json("PUT", { replicas: 3 });
const scalePath = "/v1/services/shop_web/scale";
const project = json("DELETE", {});

describe("a token", () => {
  test("is good for what it was while nothing can be written: only when it was used is not known", async () => {
    await using server = await startWithAccess({ token: TOKEN });
    const { token } = server.access.tokens.create({ name: "ci", scope: "scale" });
    server.store.run("PRAGMA query_only = ON");
    assert.equal((await server.as(token, "/v1/services")).status, 200);
    assert.equal((await server.as(token, scalePath, scale)).status, 200);
    assert.equal(server.access.tokens.list()[0]?.lastUsedAtMs, undefined);
    server.store.run("PRAGMA query_only = OFF");
    assert.equal((await server.as(token, "/v1/services")).status, 200);
    assert.equal(server.access.tokens.list()[0]?.lastUsedAtMs, NOW_MS);
  });

  test("opens what its scope is good for, and nothing else", async () => {
    await using server = await startWithAccess({ token: TOKEN });
    const tokenOf = (scope: Scope) => server.access.tokens.create({ name: scope, scope }).token;
    const asked: [string, RequestInit][] = [
      ["/v1/services", {}],
      [scalePath, scale],
      ["/v1/tokens", {}],
    ];
    const answered = async (token: string) =>
      Promise.all(asked.map(async ([path, init]) => (await server.as(token, path, init)).status));
    assert.deepEqual(await answered(tokenOf("read")), [200, 403, 403]);
    assert.deepEqual(await answered(tokenOf("scale")), [200, 200, 403]);
    assert.deepEqual(await answered(tokenOf("admin")), [200, 200, 200]);
    assert.deepEqual(await answered(TOKEN), [200, 200, 200]);
  });

  test("that is not good for it is told what would be", async () => {
    await using server = await startWithAccess();
    const { token } = server.access.tokens.create({ name: "grafana", scope: "read" });
    const refused = await problem(await server.as(token, scalePath, scale));
    assert.equal(refused.detail, "expected a token with the scope scale, got grafana with read");
    assert.deepEqual(server.control.calls, []);
  });

  test("is told once and kept nowhere: in the store is its digest alone", async () => {
    await using server = await startWithAccess();
    const request = json("POST", { name: "ci", scope: "scale", expires: "90d" });
    const response = await server.fetch("/v1/tokens", request);
    assert.equal(response.status, 201);
    const { token, expiresAtMs } = createdTokenSchema.parse(await response.json());
    assert.match(token, /^flyball_[\w-]{43}$/);
    assert.equal(expiresAtMs, NOW_MS + 90 * 86_400_000);
    const list = await (await server.fetch("/v1/tokens")).text();
    assert.match(list, /"ci"/);
    assert.doesNotMatch(list, new RegExp(token));
    for (const file of ["flyball.db", "flyball.db-wal"]) {
      assert.ok(!readFileSync(join(server.directory, file)).includes(token), file);
    }
    assert.ok(!server.logLines.join("").includes(token));
  });

  test("of yesterday, and one that was revoked, are refused", async () => {
    await using server = await startWithAccess();
    const { tokens } = server.access;
    const short = tokens.create({ name: "short", scope: "read", expires: "1h" }).token;
    const long = tokens.create({ name: "long", scope: "read" }).token;
    assert.equal((await server.as(short, "/v1/services")).status, 200);
    server.clock.at += 3_600_000;
    assert.equal((await server.as(short, "/v1/services")).status, 401);
    assert.equal((await server.as(long, "/v1/services")).status, 200);
    assert.equal((await server.fetch("/v1/tokens/long", project)).status, 200);
    assert.equal((await server.as(long, "/v1/services")).status, 401);
    assert.equal((await server.fetch("/v1/tokens/long", project)).status, 404);
  });

  test("of yesterday opens no stream, and ends one that was opened with it while it was good", async () => {
    await using server = await startWithAccess({ heartbeatMs: 50 });
    const { token } = server.access.tokens.create({ name: "short", scope: "read", expires: "1h" });
    const options = { headers: { authorization: `Bearer ${token}` } };
    const address = `ws://127.0.0.1:${server.port}/v1/stream`;
    const open = new WebSocket(address, STREAM_PROTOCOL, options);
    const others = new WebSocket(address, STREAM_PROTOCOL);
    await Promise.all([once(open, "open"), once(others, "open")]);
    server.clock.at += 3_600_000;
    assert.equal((await once(open, "close"))[0], CLOSE_CODES.refused);
    const late = new WebSocket(address, STREAM_PROTOCOL, options);
    const [, response] = await once(late, "unexpected-response");
    assert.equal(response.statusCode, 401);
    late.on("error", () => {}).terminate();
    assert.equal(others.readyState, WebSocket.OPEN);
    others.terminate();
  });

  test("without one this machine may do everything, and a wrong one is refused all the same", async () => {
    await using server = await startWithAccess();
    assert.equal((await server.as(undefined, "/v1/tokens")).status, 200);
    assert.equal((await server.as("flyball_nobody-has-made-this-one", "/v1/services")).status, 401);
  });

  test("that was made is enough to listen beyond this machine, where nobody comes in without", async () => {
    await assert.rejects(startTestApi({ host: "0.0.0.0" }), { code: "LISTEN_REFUSED" });
    const directory = mkdtempSync(join(tmpdir(), "flyball-access-"));
    const store = new Store(directory);
    const clock = { nowMs: () => NOW_MS, monotonicMs: () => 0 };
    const access = {
      tokens: new Tokens(store, clock),
      writes: new Writes(store, clock, createLog("silent")),
    };
    const { token } = access.tokens.create({ name: "far", scope: "read" });
    await using server = await startTestApi({ host: "0.0.0.0", access });
    assert.equal((await server.fetch("/v1/services")).status, 401);
    const authorization = `Bearer ${token}`;
    assert.equal((await server.fetch("/v1/services", { headers: { authorization } })).status, 200);
    store[Symbol.dispose]();
    rmSync(directory, { recursive: true });
  });

  test("needs a name of its own, and what cannot be used is named", async () => {
    await using server = await startWithAccess();
    const make = async (body: unknown) => server.fetch("/v1/tokens", json("POST", body));
    assert.equal((await make({ name: "ci", scope: "read" })).status, 201);
    assert.match((await problem(await make({ name: "ci", scope: "read" }))).detail, /token ci already/);
    const wrong = await problem(await make({ name: "A b", scope: "all", expires: "never" }));
    assert.deepEqual(wrong.errors?.map(({ at }) => at).toSorted(), ["/expires", "/name", "/scope"]);
  });
});

describe("the audit log of writes", () => {
  test("has every request that was to change something: by whom, what, and how it was answered", async () => {
    await using server = await startWithAccess();
    const { token } = server.access.tokens.create({ name: "grafana", scope: "read" });
    await server.as(token, "/v1/services");
    await server.as(token, scalePath, scale);
    await server.fetch(scalePath, scale);
    await server.fetch(scalePath, json("PUT", { replicas: -1 }));
    await server.fetch("/v1/projects/shop/plan", json("POST", {}));
    const { writes } = writeListSchema.parse(await (await server.fetch("/v1/audit/writes")).json());
    assert.deepEqual(
      writes.map(({ atMs: _when, ...rest }) => rest),
      [
        { by: "this machine", method: "PUT", path: scalePath, status: 422 },
        { by: "this machine", method: "PUT", path: scalePath, status: 200 },
        { by: "grafana", method: "PUT", path: scalePath, status: 403 },
      ],
    );
  });

  test("keeps the last ten thousand", async () => {
    await using server = await startWithAccess();
    const { writes } = server.access;
    for (let i = 0; i < 10_050; i += 1) writes.add({ by: "ci", method: "PUT", path: `/${i}`, status: 200 });
    const kept = writes.list(20_000);
    assert.equal(kept.length, 10_000);
    assert.equal(kept[0]?.path, "/10049");
  });
});
