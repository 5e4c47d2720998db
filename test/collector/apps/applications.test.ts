import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { applicationPage } from "../../../collector/apps/application-page.ts";
import { Applications, MAX_SERIES } from "../../../collector/apps/applications.ts";
import type { Discovered } from "../../../collector/discover/discovered.ts";
import { systemClock } from "../../../core/clock.ts";
import { eventually, sleep } from "../busy-child.ts";

/** An application that answers what it is told to. */
async function serve(answer: RequestListener) {
  const server = createServer(answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

const replica = (name: string, port: number, more: Partial<Discovered> = {}): Discovered => ({
  id: `id-of-${name}`,
  kind: "process",
  pid: 1,
  name,
  labels: { "metrics.port": String(port), "business.team": "checkout" },
  network: "host",
  limits: {},
  volumes: [],
  address: "127.0.0.1",
  ...more,
});

const familiesOf = ({ readings }: Applications) => readings.map(({ families }) => families);

function watching(intervalMs = 30, briskIntervalMs = 1_000) {
  const notes: string[] = [];
  const applications = new Applications({
    clock: systemClock,
    intervalMs,
    briskIntervalMs,
    labelsOf: ({ name }) => [
      { name: "replica", value: name },
      { name: "team", value: "checkout" },
    ],
    note: (line) => notes.push(line),
  });
  const page = (openMetrics = false) => applicationPage(familiesOf(applications), openMetrics).text;
  return { applications, notes, page };
}

describe("what replicas expose themselves", () => {
  test("is offered with the replica's name and its business labels, each family once", async () => {
    await using app = await serve((_, response) =>
      response.end(
        '# HELP hits_total Visits.\n# TYPE hits_total counter\nhits_total{path="/",team="mine"} 7\n',
      ),
    );
    const { applications, page } = watching();
    await using _applications = applications;
    applications.setReplicas([replica("web-1", app.port), replica("web-2", app.port)]);
    await eventually("both are read", () => applications.readings.length === 2);
    const series = ["web-1", "web-2"].map(
      (name) => `hits_total{replica="${name}",team="checkout",path="/",exported_team="mine"} 7\n`,
    );
    assert.equal(page(), `# HELP hits_total Visits.\n# TYPE hits_total counter\n${series.join("")}`);
    assert.equal(page(true), `# HELP hits Visits.\n# TYPE hits counter\n${series.join("")}`);
    assert.equal(applications.reading("id-of-web-1")?.families[0]?.series[0]?.value, 7);
    assert.deepEqual(
      [applications.counts.endpoints, applications.counts.endpointsUp, applications.counts.series],
      [2, 2, 2],
    );
  });

  test("is gone as soon as it cannot be read, and back when it can; each is said once", async () => {
    let works = true;
    await using app = await serve((_, response) => {
      if (!works) response.statusCode = 500;
      response.end("up_since 1\n");
    });
    const { applications, notes, page } = watching();
    await using _applications = applications;
    applications.setReplicas([replica("web-1", app.port)]);
    await eventually("it is read", () => page() !== "");
    works = false;
    await eventually("it is gone", () => page() === "");
    const { failedScrapes } = applications.counts;
    await eventually("some more failures", () => applications.counts.failedScrapes > failedScrapes + 2);
    const up = () => applications.status[0]?.series.map(({ labels, value }) => `${labels} ${value}`);
    assert.deepEqual(up(), ['{replica="web-1",team="checkout"} 0']);
    works = true;
    await eventually("it is back", () => page() !== "");
    assert.deepEqual(notes, ["metrics of web-1: answered 500", "metrics of web-1: read again"]);
  });

  const broken: readonly [string, RequestListener, RegExp][] = [
    ["a page of HTML", (_, response) => response.end("<html>\n<body>hello</body>\n"), /answered no metrics/u],
    ["a redirect", (_, response) => response.writeHead(302, { location: "/" }).end(), /answered 302/u],
    [
      "an end in the middle",
      (_, response) => {
        response.writeHead(200, { "content-length": "100" });
        response.write("a 1\n");
        setTimeout(() => response.destroy(), 20);
      },
      /aborted|socket hang up|terminated/u,
    ],
    [
      "an endless answer",
      (_, response) => {
        const more = (): void => {
          while (!response.destroyed && response.write(`# ${"x".repeat(100_000)}\n`));
        };
        response.on("drain", more);
        more();
      },
      /answered more than \d+ bytes/u,
    ],
    ["no HTTP", (request) => request.socket.end("SSH-2.0-OpenSSH\r\n"), /Parse Error|HTTP/u],
  ];
  for (const [what, answer, expected] of broken) {
    test(`may be ${what}: said, and no trouble to the others`, async () => {
      await using bad = await serve(answer);
      await using good = await serve((_, response) => response.end("good 1\n"));
      const { applications, notes, page } = watching();
      await using _applications = applications;
      applications.setReplicas([replica("bad-1", bad.port), replica("good-1", good.port)]);
      await eventually("the bad one has failed", () => applications.counts.failedScrapes > 0);
      await eventually("the good one is read", () => page().includes('replica="good-1"'));
      assert.ok(!page().includes("bad-1"));
      assert.match(notes.find((line) => line.includes("bad-1")) ?? "", expected);
    });
  }

  test("may never come: it is waited for without holding up the others, and not at the end", async () => {
    await using silent = await serve(() => {});
    await using good = await serve((_, response) => response.end("good 1\n"));
    const { applications, page } = watching();
    {
      await using _applications = applications;
      const silentOnes = Array.from({ length: 7 }, (_, index) => replica(`silent-${index}`, silent.port));
      applications.setReplicas([...silentOnes, replica("good-1", good.port)]);
      await eventually("the good one is read", () => page().includes('replica="good-1"'));
    }
    assert.equal(applications.counts.failedScrapes, 0);
  });

  test("is cut at a number of series, which is counted and said", async () => {
    const lines = Array.from({ length: MAX_SERIES + 5 }, (_, index) => `many{n="${index}"} 1\n`).join("");
    await using app = await serve((_, response) => response.end(lines));
    const { applications, notes } = watching(60_000);
    await using _applications = applications;
    applications.setReplicas([replica("web-1", app.port)]);
    await eventually("it is read", () => applications.counts.series > 0);
    assert.equal(applications.counts.series, MAX_SERIES);
    assert.equal(applications.counts.droppedSeries, 5);
    assert.deepEqual(notes, [`metrics of web-1: 5 of ${MAX_SERIES + 5} series are left out`]);
  });

  test("cannot say how its own scrape went, nor turn another replica's counter into a gauge", async () => {
    await using liar = await serve((_, response) =>
      response.end("flyball_application_up 1\n# TYPE jobs gauge\njobs 3\n"),
    );
    await using honest = await serve((_, response) =>
      response.end("# TYPE jobs_total counter\njobs_total 4\n"),
    );
    const { applications, page } = watching();
    await using _applications = applications;
    applications.setReplicas([replica("honest-1", honest.port)]);
    await eventually("the first is read", () => page() !== "");
    applications.setReplicas([replica("honest-1", honest.port), replica("liar-1", liar.port)]);
    await eventually("both are read", () => applications.readings.length === 2);
    assert.equal(page(), '# TYPE jobs_total counter\njobs_total{replica="honest-1",team="checkout"} 4\n');
    assert.equal(applicationPage(familiesOf(applications), false).left, 1);
    assert.ok(applications.counts.droppedSeries >= 1);
  });

  test("is asked for where the port leads to, and forgotten with the replica", async () => {
    await using app = await serve((request, response) => response.end(`seen{url="${request.url}"} 1\n`));
    const { applications, notes, page } = watching();
    await using _applications = applications;
    const labels = { "metrics.port": "80", "metrics.path": "/own?x=1" };
    const mapped = replica("web-1", 0, {
      labels,
      endpoints: [{ targetPort: 80, host: "127.0.0.1", port: app.port }],
    });
    const { address: _, ...lost } = replica("web-2", 0, { labels });
    applications.setReplicas([mapped, lost]);
    await eventually("it is read", () => page().includes('url="/own?x=1"'));
    assert.deepEqual(notes, ["metrics of web-2: nothing is known that leads to its port 80 from here"]);
    applications.setReplicas([]);
    assert.equal(page(), "");
    const { scrapes } = applications.counts;
    await sleep(100);
    assert.equal(applications.counts.scrapes, scrapes);
  });
});

describe("a replica whose service scales by its requests", () => {
  const brisk = (name: string, port: number): Discovered =>
    replica(name, port, { labels: { "metrics.port": String(port), "autoscale.max_rps": "100" } });

  /** Counts how often it was asked, and calls that a request each. */
  const counter = (): { asked: number; answer: RequestListener } => {
    const app = {
      asked: 0,
      answer: (_: unknown, response: Parameters<RequestListener>[1]) => {
        app.asked += 1;
        response.end(`http_requests_total ${10 * app.asked}\n`);
      },
    };
    return app;
  };

  test("is read far more often than the others, and says what it answered", async () => {
    const [often, seldom] = [counter(), counter()];
    await using first = await serve(often.answer);
    await using second = await serve(seldom.answer);
    const { applications } = watching(60_000, 20);
    await using _applications = applications;
    applications.setReplicas([brisk("often", first.port), replica("seldom", second.port)]);
    await eventually("it is read some times", () => often.asked > 5);
    assert.equal(seldom.asked, 1);
    const { requestsPerSecond = 0 } = applications.traffic("id-of-often") ?? {};
    assert.ok(requestsPerSecond > 0, `${requestsPerSecond} requests per second`);
    assert.equal(applications.traffic("id-of-seldom"), undefined);
    assert.equal(applications.traffic("id-of-nobody"), undefined);
  });

  test("is never asked while an answer is on its way", async () => {
    let [open, most, asked] = [0, 0, 0];
    await using slow = await serve((_, response) => {
      asked += 1;
      open += 1;
      most = Math.max(most, open);
      setTimeout(() => {
        open -= 1;
        response.end("http_requests_total 1\n");
      }, 50);
    });
    const { applications } = watching(60_000, 10);
    await using _applications = applications;
    applications.setReplicas([brisk("slow", slow.port)]);
    await eventually("it is read some times", () => asked > 3);
    assert.equal(most, 1);
  });

  test("is asked without a page too, and only it; one that counts no requests is said once", async () => {
    const often = counter();
    await using good = await serve(often.answer);
    let answers = 0;
    await using other = await serve((_, response) => {
      answers += 1;
      response.end("jobs_total 3\n");
    });
    const notes: string[] = [];
    await using applications = new Applications({
      clock: systemClock,
      briskIntervalMs: 20,
      note: (line) => notes.push(line),
    });
    applications.setReplicas([brisk("good", good.port), brisk("other", other.port)]);
    await eventually("both are read some times", () => Math.min(often.asked, answers) > 3);
    assert.ok(applications.traffic("id-of-good") !== undefined);
    assert.equal(applications.traffic("id-of-other"), undefined);
    assert.deepEqual(notes, [
      "metrics of other: no metric on its page counts requests under a name that is known",
    ]);
    assert.deepEqual(applications.readings, []);
  });

  test("is read though many others let one wait again and again", async () => {
    await using silent = await serve(() => {});
    await using broken = await serve((request) => request.socket.destroy());
    const often = counter();
    await using good = await serve(often.answer);
    const { applications } = watching(60_000, 20);
    await using _applications = applications;
    const others = Array.from({ length: 60 }, (_, index) =>
      index < 20 ? brisk(`silent-${index}`, silent.port) : brisk(`broken-${index}`, broken.port),
    );
    applications.setReplicas([...others, brisk("good", good.port)]);
    await eventually("it is read some times", () => often.asked > 5);
  });
});
