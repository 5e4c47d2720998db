import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { delivery } from "../../../collector/expose/remote-write/receiver.ts";
import { RemoteWrite } from "../../../collector/expose/remote-write/remote-write.ts";
import { WriteRequests } from "../../../collector/expose/remote-write/write-request.ts";
import { createLog } from "../../../core/log.ts";
import { type DecodedSeries, decodeWriteRequest } from "./decode-write-request.ts";

const PAGE = `# HELP up Whether it is.
# TYPE up gauge
up 1
container_cpu_usage_seconds_total{id="/docker/1",name="web",container_label_team="a \\"b\\" \\\\ c\\nd",cpu="total"}    12.5
container_spec_memory_limit_bytes{name="web"} +Inf
`;

describe("a page as remote-write requests", () => {
  test("holds every sample with its labels in order, read back by the protocol's own field numbers", () => {
    const [request, ...more] = [...new WriteRequests().of(PAGE, 1_700_000_000_123)];
    assert.ok(request !== undefined && more.length === 0);
    assert.equal(request.samples, 3);
    const at = (value: number) => ({ value, isStale: false, atMs: 1_700_000_000_123 });
    assert.deepEqual(decodeWriteRequest(request.body), [
      { labels: { __name__: "up" }, ...at(1) },
      {
        labels: {
          __name__: "container_cpu_usage_seconds_total",
          container_label_team: 'a "b" \\ c\nd',
          cpu: "total",
          id: "/docker/1",
          name: "web",
        },
        ...at(12.5),
      },
      {
        labels: { __name__: "container_spec_memory_limit_bytes", name: "web" },
        ...at(Number.POSITIVE_INFINITY),
      },
    ] satisfies DecodedSeries[]);
  });

  test("marks a series that is gone as ended, once", () => {
    const requests = new WriteRequests();
    const series = (page: string) =>
      [...requests.of(page, 1)].flatMap(({ body }) =>
        decodeWriteRequest(body).map(({ labels, isStale }) => [labels["name"], isStale]),
      );
    assert.deepEqual(series('a{name="x"} 1\na{name="y"} 1\n'), [
      ["x", false],
      ["y", false],
    ]);
    assert.deepEqual(series('a{name="y"} 1\n'), [
      ["y", false],
      ["x", true],
    ]);
    assert.deepEqual(series('a{name="y"} 1\n'), [["y", false]]);
  });

  test("is cut into bounded pieces, and holds no series twice", () => {
    const lines = Array.from({ length: 4_500 }, (_, index) => `a{i="${index % 4_100}"} ${index}`);
    const requests = [...new WriteRequests().of(lines.join("\n"), 1)];
    assert.deepEqual(
      requests.map(({ samples }) => samples),
      [2_000, 2_000, 100],
    );
  });
});

describe("what a receiver answers", () => {
  const NOW_MS = Date.UTC(2030, 0, 1);

  test("is taken, to be tried again after the time it names, or never to be tried again", () => {
    assert.deepEqual(delivery(204, "", undefined, NOW_MS), { outcome: "taken" });
    assert.deepEqual(delivery(429, "slow\n down", "7", NOW_MS), {
      outcome: "again",
      reason: "status 429: slow down",
      waitMs: 7_000,
    });
    const date = new Date(NOW_MS + 30_000).toUTCString();
    assert.deepEqual(delivery(503, "", date, NOW_MS), {
      outcome: "again",
      reason: "status 503",
      waitMs: 30_000,
    });
    assert.deepEqual(delivery(500, "", "soon", NOW_MS), { outcome: "again", reason: "status 500" });
    for (const status of [301, 400, 401, 404, 413]) {
      assert.equal(delivery(status, "", undefined, NOW_MS).outcome, "never", `${status}`);
    }
  });
});

interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** A receiver that answers as told, and one that keeps sending to it. */
async function joined(t: TestContext, answers: Answer[], secrets: { user?: string; token?: string } = {}) {
  const seen: { headers: IncomingMessage["headers"]; url: string | undefined; series: DecodedSeries[] }[] =
    [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    seen.push({
      headers: request.headers,
      url: request.url,
      series: decodeWriteRequest(Buffer.concat(chunks)),
    });
    const { status, headers, body } = answers.shift() ?? { status: 204 };
    response.writeHead(status, headers).end(body);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);

  let atMs = 0;
  let stepMs = 1;
  const logged: string[] = [];
  const user = secrets.user === undefined ? "" : `${secrets.user}@`;
  const remote = new RemoteWrite({
    url: `http://${user}127.0.0.1:${address.port}/api/v1/write?key=in-the-query`,
    ...(secrets.token === undefined ? {} : { token: secrets.token }),
    intervalMs: 3_600_000,
    page: () => {
      atMs += stepMs;
      return { text: `tick ${atMs}\n`, atMs };
    },
    version: "1.2.3",
    log: createLog("info", { write: (line: string) => logged.push(line) }),
  });
  t.after(() => remote[Symbol.asyncDispose]());
  const push = async (untilSeen: number) => {
    await remote.push();
    while (seen.length < untilSeen || remote.figures.waitingBytes > 0) await sleep(5);
  };
  const stopClock = () => {
    stepMs = 0;
  };
  return { remote, seen, logged, push, stopClock };
}

describe("remote write", () => {
  test("sends each page once, with the protocol's headers", async (t) => {
    const { remote, seen, push } = await joined(t, [], { token: "sesame-sesame-sesame" });
    await push(1);
    await push(2);
    assert.deepEqual(
      seen.map(({ series }) => series.map(({ value, atMs }) => [value, atMs])),
      [[[1, 1]], [[2, 2]]],
    );
    const { headers, url } = seen[0] ?? assert.fail();
    assert.equal(url, "/api/v1/write?key=in-the-query");
    assert.equal(headers["content-type"], "application/x-protobuf");
    assert.equal(headers["content-encoding"], "snappy");
    assert.equal(headers["x-prometheus-remote-write-version"], "0.1.0");
    assert.equal(headers["user-agent"], "flyball/1.2.3");
    assert.equal(headers.authorization, "Bearer sesame-sesame-sesame");
    assert.deepEqual(remote.figures, { sentSamples: 2, droppedSamples: 0, waitingBytes: 0 });
  });

  test("tries the same request again while the receiver is overloaded, in order, and says so once", async (t) => {
    const overloaded = { status: 429, headers: { "Retry-After": "0" } };
    const { seen, logged, push } = await joined(t, [overloaded, overloaded]);
    await push(3);
    await push(4);
    assert.deepEqual(
      seen.map(({ series }) => series[0]?.value),
      [1, 1, 1, 2],
    );
    assert.deepEqual(
      logged.map((line) => JSON.parse(line).msg),
      ["remote write does not get through; it is tried again", "remote write works again"],
    );
  });

  test("drops and counts what is refused, goes on, and shows no secret in what it says", async (t) => {
    const { remote, seen, logged, push } = await joined(t, [{ status: 400, body: "out of bounds" }], {
      user: "me:pass%40word",
    });
    await push(1);
    await push(2);
    assert.deepEqual(remote.figures, { sentSamples: 1, droppedSamples: 1, waitingBytes: 0 });
    assert.equal(seen[0]?.headers.authorization, `Basic ${Buffer.from("me:pass@word").toString("base64")}`);
    assert.equal(logged.length, 2);
    assert.match(logged[0] ?? "", /status 400: out of bounds/);
    assert.doesNotMatch(logged.join(), /pass|in-the-query/);
  });

  test("of an instant that was sent already sends nothing", async (t) => {
    const { remote, seen, push, stopClock } = await joined(t, []);
    await push(1);
    stopClock();
    await push(1);
    assert.deepEqual([seen.length, remote.figures.sentSamples], [1, 1]);
  });

  test("holds what does not get through within bounds, and ends at once all the same", async () => {
    let atMs = 0;
    // Such text is not made smaller by compression.
    const noise = () => Buffer.from(crypto.getRandomValues(new Uint8Array(60_000))).toString("base64");
    const remote = new RemoteWrite({
      url: "http://127.0.0.1:9/",
      intervalMs: 3_600_000,
      page: () => {
        atMs += 1;
        return {
          text: Array.from({ length: 100 }, (_, index) => `a{i="${index}${noise()}"} 1`).join("\n"),
          atMs,
        };
      },
      version: "0",
      log: createLog("silent"),
    });
    for (let count = 0; count < 6; count += 1) {
      await remote.push();
    }
    assert.ok(remote.figures.droppedSamples > 0);
    assert.ok(remote.figures.waitingBytes > 0 && remote.figures.waitingBytes <= 40 * 1024 * 1024);
    await remote[Symbol.asyncDispose]();
  });
});
