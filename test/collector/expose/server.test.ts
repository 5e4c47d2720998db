import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { formatFor } from "../../../collector/expose/page-format.ts";
import { type MetricsServerOptions, serveMetrics, takesGzip } from "../../../collector/expose/server.ts";
import { isFlyballError } from "../../../core/errors.ts";
import { discovered, measurement, pagesOf, round } from "./readings.ts";

const ANY_PORT = { host: "127.0.0.1", port: 0 };

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

function filledPages() {
  const pages = pagesOf();
  pages.update(round([[discovered(), measurement({ threads: 3 })]], { atMs: 1_000 }));
  return pages;
}

function serve(options: Partial<MetricsServerOptions> = {}) {
  return serveMetrics({ listen: ANY_PORT, pages: filledPages(), now: () => 2_000, ...options });
}

async function ask(
  { port }: { readonly port: number },
  path: string,
  headers: Readonly<Record<string, string>> = {},
  method = "GET",
): Promise<Answer> {
  const asked = request({ host: "127.0.0.1", port, path, headers, method, agent: false }).end();
  const [response] = await once(asked, "response");
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) };
}

describe("the metrics endpoint", () => {
  test("gives a page in the form that is asked for", async () => {
    await using server = await serve();
    const plain = await ask(server.address, "/metrics");
    assert.equal(plain.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    assert.equal(plain.headers["content-encoding"], undefined);
    assert.match(plain.body.toString("utf8"), /^container_threads\{.*\} 3$/mu);

    const zipped = await ask(server.address, "/metrics?x=1", { "accept-encoding": "gzip" });
    assert.equal(zipped.headers["content-encoding"], "gzip");
    assert.deepEqual(gunzipSync(zipped.body), plain.body);

    const open = await ask(server.address, "/metrics", {
      accept: "application/openmetrics-text; version=1.0.0",
    });
    assert.equal(open.headers["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert.match(open.body.toString("utf8"), /\n# EOF\n$/u);

    const head = await ask(server.address, "/metrics", {}, "HEAD");
    assert.deepEqual(
      [head.status, head.headers["content-length"], head.body.length],
      [200, String(plain.body.length), 0],
    );
  });

  test("shows the containers' own metrics beside it where there are any", async () => {
    await using without = await serve();
    assert.equal((await ask(without.address, "/metrics/applications")).status, 404);
    await using server = await serve({ applications: (format) => `# ${format} é\n` });
    const { body } = await ask(server.address, "/metrics/applications");
    assert.equal(body.toString("utf8"), "# prometheus é\n");
  });

  test("refuses what it does not have", async () => {
    await using server = await serve();
    assert.equal((await ask(server.address, "/")).status, 404);
    assert.equal((await ask(server.address, "//[")).status, 404);
    const post = await ask(server.address, "/metrics", {}, "POST");
    assert.deepEqual([post.status, post.headers["allow"]], [405, "GET, HEAD"]);
  });

  for (const [what, pages, nowMs, status] of [
    ["well while readings are made", filledPages(), 2_000, 200],
    ["unwell before the first", pagesOf(), 2_000, 503],
    ["unwell when the last is old", filledPages(), 1_000_000, 503],
  ] as const) {
    test(`says that the collector is ${what}`, async () => {
      await using server = await serve({ pages, now: () => nowMs });
      assert.equal((await ask(server.address, "/healthz")).status, status);
    });
  }

  test("goes on for the others when scrapers go away midway or take nothing", async () => {
    const page = Buffer.alloc(8 * 1024 * 1024, "x");
    await using server = await serve({
      pages: {
        write: async () => ({
          atMs: 1,
          length: page.length,
          pieces: () => [page.subarray(0, 1_000), page.subarray(1_000)],
          give: () => {},
          [Symbol.dispose]: () => {},
        }),
        gzipped: async () => page,
        atMs: 1,
      },
    });
    const { port } = server.address;
    for (let turn = 0; turn < 5; turn += 1) {
      const socket = connect(port, "127.0.0.1");
      socket.write("GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n");
      await once(socket, "data");
      socket.destroy();
    }
    const slow = connect(port, "127.0.0.1").pause();
    slow.write("GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n");
    const garbage = connect(port, "127.0.0.1");
    garbage.on("error", () => {});
    garbage.write("\u0000\u0001 not http\r\n\r\n");
    assert.equal((await ask(server.address, "/metrics")).body.length, page.length);
    slow.destroy();
    garbage.destroy();
  });

  test("says that its port is taken", async () => {
    await using server = await serve();
    await assert.rejects(
      serve({ listen: { host: "127.0.0.1", port: server.address.port } }),
      (error) => isFlyballError(error) && error.code === "PORT_IN_USE",
    );
  });
});

describe("what a scraper asks for", () => {
  for (const [accept, format] of [
    [undefined, "prometheus"],
    ["*/*", "prometheus"],
    ["text/html", "prometheus"],
    ["application/openmetrics-text", "openmetrics"],
    ["application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", "openmetrics"],
    ["application/openmetrics-text;version=1.0.0;q=0.2,text/plain;q=0.5", "prometheus"],
    ["application/openmetrics-text;version=2.0.0,text/plain;version=1.0.0;q=0.6", "prometheus"],
    ["application/openmetrics-text;q=0", "prometheus"],
    [";;,,q=", "prometheus"],
  ] as const) {
    test(`as ${accept} is ${format}`, () => assert.equal(formatFor(accept), format));
  }

  for (const [header, takes] of [
    [undefined, false],
    ["", false],
    ["identity", false],
    ["gzip", true],
    ["deflate, GZIP;q=0.5", true],
    ["gzip;q=0", false],
    ["gzip;q=0.000, br", false],
  ] as const) {
    test(`encoded as ${header} is ${takes ? "" : "not "}gzip`, () => assert.equal(takesGzip(header), takes));
  }
});
