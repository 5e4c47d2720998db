import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { histogramQuantile } from "../../collector/apps/histogram-quantile.ts";
import { requestReading, trafficBetween } from "../../collector/apps/traffic.ts";
import { TrafficMeter } from "../../collector/apps/traffic-meter.ts";

const NAME = "http_request_duration_seconds";
const BOUNDS = [0.01, 0.1, 0.5, 2];

/** How long each request took, in seconds, by the code that it was answered with. */
type Requests = Readonly<Record<string, readonly number[]>>;

const requests: fc.Arbitrary<Requests> = fc.dictionary(
  fc.constantFrom("200", "404", "500"),
  fc.array(fc.double({ min: 0, max: 4, noNaN: true }), { maxLength: 30 }),
  { noNullPrototype: true },
);

/** The page of an application that has answered these. */
function pageOf(all: Requests, bounds: readonly number[] = BOUNDS): string {
  const lines = Object.entries(all).flatMap(([code, durations]) => [
    ...[...bounds, Infinity].map((upTo) => {
      const count = durations.filter((duration) => duration <= upTo).length;
      return `${NAME}_bucket{code="${code}",le="${upTo === Infinity ? "+Inf" : upTo}"} ${count}`;
    }),
    `${NAME}_sum{code="${code}"} ${durations.reduce((sum, duration) => sum + duration, 0)}`,
    `${NAME}_count{code="${code}"} ${durations.length}`,
  ]);
  return `# TYPE ${NAME} histogram\n${lines.map((line) => `${line}\n`).join("")}`;
}

function together(a: Requests, b: Requests): Requests {
  const codes = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries([...codes].map((code) => [code, [...(a[code] ?? []), ...(b[code] ?? [])]]));
}

const read = (page: string, atMs: number) => {
  const reading = requestReading(page, "/metrics", atMs);
  assert.ok(reading !== undefined);
  return reading;
};

describe("what counters say of requests", () => {
  test("is as many as there were, and a p95 in the bucket in which it lies", () => {
    fc.assert(
      fc.property(requests, requests, fc.integer({ min: 1, max: 5_000 }), (before, since, elapsedMs) => {
        const after = pageOf(together(before, since));
        const traffic = trafficBetween(read(pageOf(before), 0), read(after, elapsedMs), 5_000);
        const durations = Object.values(since)
          .flat()
          .sort((a, b) => a - b);
        assert.ok(traffic !== undefined);
        const counted = (traffic.requestsPerSecond * elapsedMs) / 1_000;
        assert.ok(Math.abs(counted - durations.length) < 1e-6, `${counted} of ${durations.length}`);
        assert.equal(traffic.latencyMs === undefined, durations.length === 0);
        if (traffic.latencyMs === undefined) return;
        // Prometheus counts the rank from 1.
        const p95 = durations[Math.ceil(0.95 * durations.length) - 1] ?? Number.NaN;
        const above = BOUNDS.find((bound) => p95 <= bound) ?? 2;
        const below = p95 > 2 ? 2 : (BOUNDS.findLast((bound) => bound < p95) ?? 0);
        const seconds = traffic.latencyMs / 1_000;
        assert.ok(seconds >= below - 1e-9 && seconds <= above + 1e-9, `${seconds} of ${below} to ${above}`);
      }),
    );
  });

  test("is never negative and never more than came, whatever restarts, other buckets and series left out", () => {
    const step = fc.record({
      since: requests,
      restarts: fc.boolean(),
      hides: fc.constantFrom("", "", "200", "404"),
      buckets: fc.constantFrom(4, 4, 4, 3),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const meter = new TrafficMeter();
        let all: Requests = {};
        const known = new Set<string>();
        steps.forEach(({ since, restarts, hides, buckets }, second) => {
          all = together(restarts ? {} : all, since);
          // What was never shown is taken to be new when it is.
          const hidden = known.has(hides) ? hides : "";
          const shown = Object.fromEntries(Object.entries(all).filter(([code]) => code !== hidden));
          for (const code of Object.keys(shown)) known.add(code);
          meter.take(read(pageOf(shown, BOUNDS.slice(0, buckets)), second * 1_000));
          const traffic = meter.at(second * 1_000);
          if (traffic === undefined) return;
          const came = Object.values(since).flat().length;
          assert.ok(
            traffic.requestsPerSecond >= 0 && traffic.requestsPerSecond <= came,
            `${traffic.requestsPerSecond} of ${came}`,
          );
          assert.ok(
            traffic.latencyMs === undefined || (traffic.latencyMs >= 0 && traffic.latencyMs <= 2_000),
          );
        });
      }),
    );
  });

  test("is a reading or none, never an error and never no number, whatever the page says", () => {
    const word = fc.constantFrom(
      NAME,
      "_bucket",
      "_count",
      "{",
      "}",
      "le=",
      '"0.1"',
      '"+Inf"',
      '"x"',
      " 3",
      " NaN",
      "\n",
      "# TYPE ",
      " histogram",
      "http_requests_total",
      ",",
      "-1",
      "1e309",
    );
    const page = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(word, { maxLength: 60 }).map((words) => words.join("")),
    );
    fc.assert(
      fc.property(page, page, (first, second) => {
        const before = requestReading(first, "/metrics", 0);
        const now = requestReading(second, "/metrics", 1_000);
        if (now === undefined) return;
        const { requestsPerSecond = 0, latencyMs = 0 } = trafficBetween(before, now, 5_000) ?? {};
        assert.ok(requestsPerSecond >= 0 && Number.isFinite(requestsPerSecond));
        assert.ok(Number.isFinite(latencyMs));
      }),
      { numRuns: 500 },
    );
  });

  test("a higher quantile is never a smaller value", () => {
    const counts = fc.array(fc.nat(50), { minLength: BOUNDS.length + 1, maxLength: BOUNDS.length + 1 });
    const quantile = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(counts, quantile, quantile, (added, one, other) => {
        let sum = 0;
        const buckets = added.map((count, index) => {
          sum += count;
          return { upTo: BOUNDS[index] ?? Infinity, count: sum };
        });
        const [low, high] = [Math.min(one, other), Math.max(one, other)].map((at) =>
          histogramQuantile(at, buckets),
        );
        if (sum === 0) assert.deepEqual([low, high], [undefined, undefined]);
        else assert.ok(low !== undefined && high !== undefined && low <= high, `${low} ${high}`);
      }),
    );
  });
});
