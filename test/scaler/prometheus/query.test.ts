import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  MAX_ANSWER_BYTES,
  type PrometheusServer,
  queryPrometheus,
} from "../../../scaler/prometheus/query.ts";

const FORTY_TWO = JSON.stringify({ status: "success", data: { resultType: "scalar", result: [1, "42"] } });

/** A server for one test, gone with every connection after it. */
async function listening(
  listener: RequestListener,
): Promise<AsyncDisposable & { url: string; server: Server }> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    server,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}

const never = new AbortController().signal;
const ask = (server: PrometheusServer, expression = "up") => queryPrometheus(server, expression, never);

/** The trouble with a server that answers like that. */
async function troubleWith(listener: RequestListener) {
  await using server = await listening(listener);
  const outcome = await ask({ url: server.url });
  return "trouble" in outcome ? outcome.trouble : assert.fail(`was read: ${outcome.value}`);
}

describe("a question to Prometheus", () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), "flyball-query-"));
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  test("carries the expression as it is, below the path of the URL", async () => {
    const seen: { url: string | undefined; query: string | null }[] = [];
    await using server = await listening(async (request, response) => {
      const form = new URLSearchParams(await bodyOf(request));
      seen.push({ url: request.url, query: form.get("query") });
      response.end(FORTY_TWO);
    });
    const expression = 'sum(rate(http_requests_total{job="a&b=c+d"}[1m])) % 100 # ü';
    for (const path of ["", "/", "/prometheus", "/prometheus/"]) {
      assert.deepEqual(await ask({ url: server.url + path }, expression), { value: 42 });
    }
    assert.deepEqual(
      seen.map(({ url }) => url),
      ["/api/v1/query", "/api/v1/query", "/prometheus/api/v1/query", "/prometheus/api/v1/query"],
    );
    assert.deepEqual(new Set(seen.map(({ query }) => query)), new Set([expression]));
  });

  test("says who asks, by a token or by a name and a password, from files that are read anew", async () => {
    const seen: (string | undefined)[] = [];
    await using server = await listening((request, response) => {
      seen.push(request.headers.authorization);
      response.end(FORTY_TWO);
    });
    const file = join(directory, "secret");
    const { url } = server;
    await ask({ url });
    await ask({ url, token: "abc" });
    writeFileSync(file, "first\n");
    await ask({ url, tokenFile: file });
    writeFileSync(file, "second\n");
    await ask({ url, tokenFile: file });
    await ask({ url, username: "shop", password: "ü:1" });
    await ask({ url, username: "shop", passwordFile: file });
    const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;
    assert.deepEqual(seen, [
      undefined,
      "Bearer abc",
      "Bearer first",
      "Bearer second",
      basic("shop:ü:1"),
      basic("shop:second"),
    ]);
  });

  test("is not made when who asks cannot be said, and no secret is repeated", async () => {
    const file = join(directory, "other");
    const trouble = async (server: Partial<PrometheusServer>) => {
      const outcome = await ask({ url: "http://127.0.0.1:1", ...server });
      assert.ok("trouble" in outcome);
      assert.equal(outcome.trouble.kind, "credentials");
      assert.doesNotMatch(outcome.trouble.message, /hunter/);
      return outcome.trouble.message;
    };
    assert.match(await trouble({ tokenFile: join(directory, "none") }), /ENOENT/);
    writeFileSync(file, " \n");
    assert.match(await trouble({ username: "shop", passwordFile: file }), /is empty$/);
    writeFileSync(file, "hunter\n2");
    assert.match(await trouble({ tokenFile: file }), /the token holds what no header can$/);
    assert.match(await trouble({ token: "huntér" }), /the token holds what no header can$/);
  });

  test("to nobody is told as such", async () => {
    let url = "";
    {
      await using server = await listening((_, response) => response.end());
      url = server.url;
    }
    const outcome = await ask({ url });
    assert.ok("trouble" in outcome);
    assert.equal(outcome.trouble.kind, "unreachable");
    assert.match(outcome.trouble.message, /ECONNREFUSED/);
  });

  test("to a server that hangs ends by itself, before its answer and in the middle of it", async () => {
    const [silent, halfway] = await Promise.all([
      troubleWith(() => undefined),
      troubleWith((_, response) => void response.write('{"status":')),
    ]);
    for (const trouble of [silent, halfway]) {
      assert.deepEqual(trouble, {
        kind: "timeout",
        message: "Prometheus gave no whole answer within 5 s",
      });
    }
  });

  test("ends at once when it is called off", async () => {
    await using server = await listening(() => undefined);
    const abort = new AbortController();
    const asked = queryPrometheus({ url: server.url }, "up", abort.signal);
    await once(server.server, "request");
    abort.abort(new Error("called off"));
    await assert.rejects(asked, /called off/);
  });

  test("is answered with no more than a mebibyte", async () => {
    let written = 0;
    const trouble = await troubleWith((_, response) => {
      const more = () => {
        while (!response.destroyed && response.write("x".repeat(65_536))) written += 65_536;
      };
      response.on("drain", more);
      more();
    });
    assert.equal(trouble.kind, "too large");
    assert.match(trouble.message, /more than 1024 KiB: if there are many series, aggregate/);
    assert.ok(written < 32 * MAX_ANSWER_BYTES);
  });

  test("follows no redirect, which could take the token along", async () => {
    let asked = 0;
    await using elsewhere = await listening((_, response) => {
      asked += 1;
      response.end(FORTY_TWO);
    });
    for (const status of [301, 302, 307, 308]) {
      const trouble = await troubleWith((_, response) => {
        response.writeHead(status, { location: elsewhere.url }).end();
      });
      assert.equal(trouble.kind, "http");
      assert.match(trouble.message, new RegExp(`answered ${status}, a redirect`));
    }
    assert.equal(asked, 0);
  });

  test("to what is no Prometheus is told with what came", async () => {
    assert.deepEqual(await troubleWith((_, response) => void response.end("<h1>It works!</h1>")), {
      kind: "format",
      message: "expected the JSON of a Prometheus server, got <h1>It works!</h1>",
    });
    const cut = await troubleWith((_, response) => {
      response.writeHead(200, { "content-length": "100" }).write('{"status":');
      setImmediate(() => response.destroy());
    });
    assert.equal(cut.kind, "unreachable");
    const broken = await troubleWith((request) => void request.socket.end("no HTTP at all\r\n\r\n"));
    assert.equal(broken.kind, "unreachable");
    const failed = await troubleWith((_, response) => void response.writeHead(503).end("down"));
    assert.equal(failed.message, "Prometheus answered 503");
  });
});
