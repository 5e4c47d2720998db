import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { startApi } from "../../api/server.ts";
import { createLog } from "../../core/log.ts";
import { ControlDouble } from "./control-double.ts";
import { aStream, problem, raw, TOKEN } from "./harness.ts";

const PAGE = "<!doctype html><title>Flyball</title>";
const SCRIPT = "script".repeat(100);

/** The API over a folder with a page, a script beside its compressed forms, and what is no part of the console. */
async function consoleOf(t: TestContext, options: { isEmpty?: boolean; token?: string } = {}) {
  const directory = mkdtempSync(join(tmpdir(), "flyball-console-"));
  if (options.isEmpty !== true) {
    writeFileSync(join(directory, "index.html"), PAGE);
    writeFileSync(join(directory, "main.abc.js"), SCRIPT);
    writeFileSync(join(directory, "main.abc.js.gz"), gzipSync(SCRIPT));
    writeFileSync(join(directory, "main.abc.js.br"), brotliCompressSync(SCRIPT));
    writeFileSync(join(directory, "notes.txt"), "of nobody's concern");
  }
  const api = await startApi({
    control: new ControlDouble(),
    stream: aStream(),
    listen: { host: "127.0.0.1", port: 0 },
    consoleDirectory: directory,
    log: createLog("silent"),
    ...(options.token === undefined ? {} : { token: options.token }),
  });
  t.after(async () => {
    await api[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });
  const ask = (path: string, headers: Record<string, string> = {}, method = "GET") =>
    fetch(`http://127.0.0.1:${api.address.port}${path}`, { method, headers });
  return { ask, port: api.address.port };
}

test("the page is there without a token, and what it shows is not", async (t) => {
  const { ask } = await consoleOf(t, { token: TOKEN });
  assert.equal(await (await ask("/")).text(), PAGE);
  assert.equal((await ask("/console/main.abc.js")).status, 200);
  assert.equal((await ask("/v1/services")).status, 401);
  assert.equal((await ask("/consoles")).status, 401);
});

test("a policy keeps the page to itself: nothing from elsewhere, no frame, no inline script", async (t) => {
  const { ask } = await consoleOf(t);
  for (const path of ["/", "/console/main.abc.js"]) {
    const { headers } = await ask(path);
    const policy = headers.get("content-security-policy") ?? "";
    for (const rule of [
      "default-src 'none'",
      "script-src 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
    ]) {
      assert.ok(policy.split("; ").includes(rule), rule);
    }
    assert.doesNotMatch(policy, /unsafe|\*|https?:/);
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.equal(headers.get("referrer-policy"), "no-referrer");
  }
});

test("what has a hash in its name is kept for ever, and the page is asked for again", async (t) => {
  const { ask, port } = await consoleOf(t);
  const script = await ask("/console/main.abc.js");
  assert.match(script.headers.get("cache-control") ?? "", /immutable/);
  const page = await ask("/");
  assert.equal(page.headers.get("cache-control"), "no-cache");
  const etag = page.headers.get("etag") ?? "";
  const again = (tag: string) => raw(port, ["GET / HTTP/1.1", "Host: 127.0.0.1", `If-None-Match: ${tag}`]);
  assert.match(await again(etag), /^HTTP\/1.1 304 /);
  assert.match(await again('"another"'), /^HTTP\/1.1 200 /);
});

test("the smallest form that a client reads is sent, and to one that reads none the text", async (t) => {
  const { ask, port } = await consoleOf(t);
  for (const [accepted, sent] of [
    ["br, gzip", "br"],
    ["gzip", "gzip"],
    ["identity", null],
  ] as const) {
    const response = await ask("/console/main.abc.js", { "accept-encoding": accepted });
    assert.equal(response.headers.get("content-encoding"), sent);
    assert.equal(await response.text(), SCRIPT);
  }
  const bare = await raw(port, ["GET /console/main.abc.js HTTP/1.1", "Host: 127.0.0.1"]);
  assert.ok(bare.endsWith(SCRIPT));
  const head = await ask("/console/main.abc.js", {}, "HEAD");
  assert.equal(await head.text(), "");
});

test("nothing but the console's own files is given away, and nothing may be written", async (t) => {
  const { ask, port } = await consoleOf(t);
  for (const path of ["/console/notes.txt", "/console/", "/console/main.abc.js.gz", "/console/nothing.js"]) {
    assert.equal((await problem(await ask(path))).code, "NOT_FOUND", path);
  }
  for (const path of [
    "/console/../../package.json",
    "/console/..%2f..%2fpackage.json",
    "/console/%2e%2e/x",
  ]) {
    const answer = await raw(port, [`GET ${path} HTTP/1.1`, "Host: 127.0.0.1"]);
    assert.match(answer, /^HTTP\/1.1 404 /, path);
  }
  assert.equal((await ask("/", {}, "POST")).status, 404);
});

test("a foreign name for this machine is shown nothing, not even the page", async (t) => {
  const { port } = await consoleOf(t);
  const answer = await raw(port, ["GET / HTTP/1.1", "Host: attacker.example"]);
  assert.match(answer, /^HTTP\/1.1 403 /);
});

test("a console that was never built says how it is", async (t) => {
  const { ask } = await consoleOf(t, { isEmpty: true });
  assert.match((await problem(await ask("/"))).detail, /npm run console/);
});
