import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Bucket, histogramQuantile } from "../../../collector/apps/histogram-quantile.ts";
import { requestReading, trafficBetween } from "../../../collector/apps/traffic.ts";
import { TrafficMeter } from "../../../collector/apps/traffic-meter.ts";

const reading = (page: string, atMs: number, ownPath = "/metrics") => requestReading(page, ownPath, atMs);

/** What two pages, a second apart, say; undefined as nobody can tell. */
function traffic(before: string, after: string, elapsedMs = 1_000) {
  const now = reading(after, elapsedMs);
  return now === undefined ? undefined : trafficBetween(reading(before, 0), now, 5_000);
}

/** A page with one histogram: requests so far up to each bound, the last one beyond all. */
function histogram(
  counts: Readonly<Record<string, number>>,
  name = "http_request_duration_seconds",
  labels = "",
) {
  const lines = Object.entries(counts).map(
    ([le, count]) => `${name}_bucket{${labels}${labels === "" ? "" : ","}le="${le}"} ${count}\n`,
  );
  const all = Object.values(counts).at(-1) ?? 0;
  const own = labels === "" ? "" : `{${labels}}`;
  return `# TYPE ${name} histogram\n${lines.join("")}${name}_sum${own} 1\n${name}_count${own} ${all}\n`;
}

const buckets = (entries: Readonly<Record<string, number>>): Bucket[] =>
  Object.entries(entries).map(([le, count]) => ({ upTo: le === "+Inf" ? Infinity : Number(le), count }));

describe("a quantile of a histogram", () => {
  // From Prometheus' own tests of histogram_quantile, promql/promqltest/testdata/histograms.test.
  const known: readonly [quantile: number, Readonly<Record<string, number>>, expected: number][] = [
    [0.2, { "0.1": 5, "0.20": 7, "1e0": 11, "+Inf": 12 }, 0.048],
    [0.5, { "0.1": 5, "0.20": 7, "1e0": 11, "+Inf": 12 }, 0.15],
    [0.8, { "0.1": 5, "0.20": 7, "1e0": 11, "+Inf": 12 }, 0.72],
    [1, { "0.1": 5, "0.20": 7, "1e0": 11, "+Inf": 12 }, 1],
    [0.2, { "-0.2": 1, "-0.1": 2, "0.3": 2, "+Inf": 3 }, -0.2],
    [0.5, { "-0.2": 1, "-0.1": 2, "0.3": 2, "+Inf": 3 }, -0.15],
    [0.8, { "-0.2": 1, "-0.1": 2, "0.3": 2, "+Inf": 3 }, 0.3],
    [1 / 6, { "0.0": 0, "2.0": 1, "4.0": 2, "6.0": 3, "+Inf": 3 }, 1],
    [5 / 6, { "0.0": 0, "2.0": 1, "4.0": 2, "6.0": 3, "+Inf": 3 }, 5],
    [0.5, { "0.1": 10, "0.2": 19, "+Inf": 25 }, 0.127_777_777_777_777_8],
  ];
  for (const [quantile, counts, expected] of known) {
    test(`is Prometheus' at ${quantile.toFixed(2)} of ${JSON.stringify(counts)}`, () => {
      const value = histogramQuantile(quantile, buckets(counts));
      assert.ok(value !== undefined && Math.abs(value - expected) < 1e-12, `${value}`);
    });
  }

  test("is the highest finite bound for what lies beyond it, and unknown without a bound or an observation", () => {
    assert.equal(histogramQuantile(0.95, buckets({ "0.1": 1, "+Inf": 100 })), 0.1);
    assert.equal(histogramQuantile(0.95, buckets({ "+Inf": 100 })), undefined);
    assert.equal(histogramQuantile(0.95, buckets({ "0.1": 1 })), undefined);
    assert.equal(histogramQuantile(0.95, buckets({ "0.1": 0, "+Inf": 0 })), undefined);
    assert.equal(histogramQuantile(0.95, []), undefined);
  });
});

describe("what a replica's own counters say of its requests", () => {
  test("is their rate and the p95 of those since the page before", () => {
    const before = histogram({ "0.1": 1_000, "0.2": 1_000, "+Inf": 1_000 });
    const after = histogram({ "0.1": 1_090, "0.2": 1_100, "+Inf": 1_100 });
    assert.deepEqual(traffic(before, after, 500), {
      requestsPerSecond: 200,
      latencyMs: (0.1 + 0.1 / 2) * 1_000,
    });
    assert.deepEqual(traffic(before, before), { requestsPerSecond: 0 });
  });

  const units: readonly [name: string, latencyMs: number][] = [
    ["http_request_duration_seconds", 1_000],
    ["http_requests_seconds", 1_000],
    ["http_server_request_duration_seconds", 1_000],
    ["http_server_requests_seconds", 1_000],
    ["http_request_duration_milliseconds", 1],
    ["http_server_duration_milliseconds", 1],
    ["http_request_duration_ms", 1],
  ];
  for (const [name, latencyMs] of units) {
    test(`is found in ${name}, in its unit`, () => {
      const counts = (requests: number) =>
        histogram({ "1.0": 0, "2.0": requests, "+Inf": 2 * requests }, name);
      // What lies beyond the last bound is taken for it.
      assert.deepEqual(traffic(counts(0), counts(10)), { requestsPerSecond: 20, latencyMs: 2 * latencyMs });
    });
  }

  test("is the sum of all label sets, one that is new counted from nothing", () => {
    const of = (labels: string, count: number) =>
      histogram({ "0.1": count, "+Inf": count }, "http_request_duration_seconds", labels).replace(
        /^#.*\n/u,
        "",
      );
    const type = "# TYPE http_request_duration_seconds histogram\n";
    const before = type + of('code="200"', 40);
    const after = type + of('code="200"', 50) + of('code="500"', 10);
    assert.deepEqual(traffic(before, after), { requestsPerSecond: 20, latencyMs: 95 });
    // A family that has announced itself has counted nothing yet.
    assert.deepEqual(traffic(type, after), { requestsPerSecond: 60, latencyMs: 95 });
    assert.deepEqual(traffic(type, type), { requestsPerSecond: 0 });
  });

  const counters: readonly [what: string, page: (requests: number) => string][] = [
    ["a counter", (n) => `# TYPE http_requests_total counter\nhttp_requests_total{method="get"} ${n}\n`],
    [
      "a counter of OpenMetrics",
      (n) => `# TYPE http_requests counter\nhttp_requests_total ${n} # {a="b"} 1\n`,
    ],
    ["a counter without a type", (n) => `http_server_requests_total ${n}\n`],
    ["a bare counter", (n) => `requests_total ${n}\n`],
    [
      "a summary",
      (n) =>
        `# TYPE http_server_requests_seconds summary\nhttp_server_requests_seconds{quantile="0.95"} 7\nhttp_server_requests_seconds_count ${n}\nhttp_server_requests_seconds_sum 1\n`,
    ],
  ];
  for (const [what, page] of counters) {
    test(`is the rate of ${what}, which says nothing of latency`, () => {
      assert.deepEqual(traffic(page(7), page(27)), { requestsPerSecond: 20 });
    });
  }

  test("is of one family, the histogram first, though several count the same", () => {
    const page = (n: number) =>
      `http_requests_total ${5 * n}\n${histogram({ "0.1": n, "+Inf": n })}# TYPE http_request_size_bytes histogram\n`;
    assert.equal(traffic(page(10), page(20))?.requestsPerSecond, 10);
  });

  test("does not count the requests for the page itself", () => {
    const page = (own: number, others: number) =>
      `http_requests_total{path="/metrics"} ${own}\nhttp_requests_total{path="/"} ${others}\n`;
    assert.deepEqual(traffic(page(1, 5), page(2, 8)), { requestsPerSecond: 3 });
  });

  test("is nothing on a page that counts no requests under a known name, or not with numbers", () => {
    for (const page of [
      "",
      "process_cpu_seconds_total 3\n",
      "http_requests_total NaN\n",
      "http_requests_total -3\n",
    ]) {
      assert.equal(reading(page, 0), undefined, page);
    }
    assert.equal(reading("# TYPE http_requests_total gauge\nhttp_requests_total 3\n", 0), undefined);
  });

  test("is a gap, and no spike, where a counter fell, buckets are others, or the family is", () => {
    const before = histogram({ "0.1": 50, "+Inf": 100 });
    const others = [
      histogram({ "0.1": 1, "+Inf": 2 }),
      // As many in sum, yet fewer in one bucket.
      histogram({ "0.1": 40, "+Inf": 110 }),
      histogram({ "0.2": 60, "+Inf": 120 }),
      histogram({ "0.1": 60, "0.2": 60, "+Inf": 120 }),
      "http_requests_total 100000\n",
    ];
    for (const after of others) assert.equal(traffic(before, after), undefined, after);
    assert.equal(traffic(before, histogram({ "0.1": 60, "+Inf": 120 }), 5_001), undefined, "too long a time");
  });

  test("is a gap, and no spike, where a series that was left out is shown again", () => {
    const page = (a: number, b?: number) =>
      `http_requests_total{code="a"} ${a}\n${b === undefined ? "" : `http_requests_total{code="b"} ${b}\n`}`;
    const meter = new TrafficMeter();
    const rates = [page(10, 1_000), page(20), page(30), page(40, 1_001), page(50, 1_002)].map(
      (text, second) => {
        const now = reading(text, second * 1_000);
        assert.ok(now !== undefined);
        meter.take(now);
        return meter.at(second * 1_000)?.requestsPerSecond;
      },
    );
    assert.deepEqual(rates, [undefined, 10, 10, undefined, 11]);
  });

  test("is not known any more when it is older than five seconds", () => {
    const meter = new TrafficMeter();
    for (const [second, count] of [
      [0, 10],
      [1, 20],
    ] as const) {
      const now = reading(`http_requests_total ${count}\n`, second * 1_000);
      assert.ok(now !== undefined);
      meter.take(now);
    }
    assert.deepEqual(meter.at(6_000), { requestsPerSecond: 10 });
    assert.equal(meter.at(6_001), undefined);
  });
});
