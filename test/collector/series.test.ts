import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Series } from "../../collector/series.ts";
import type { Sample } from "../../core/types.ts";

function filled(values: readonly (number | undefined)[], capacity = 900): Series {
  const series = new Series(capacity);
  values.forEach((cpuCores, second) => {
    series.append({ replica: "web", readAtMs: second * 1_000, ...(cpuCores !== undefined && { cpuCores }) });
  });
  return series;
}

describe("a window over a series", () => {
  test("holds the readings after its start, up to and with its end", () => {
    assert.deepEqual(filled([9, 1, 2, 3, 9]).window("web", "cpuCores", 0, 3_000), {
      mean: 2,
      max: 3,
      count: 3,
      newestAtMs: 3_000,
      oldestAtMs: 1_000,
    });
  });

  test("does not count a gap as zero", () => {
    assert.deepEqual(filled([4, undefined, undefined, 2]).window("web", "cpuCores", -1, 9_000), {
      mean: 3,
      max: 4,
      count: 2,
      newestAtMs: 3_000,
      oldestAtMs: 0,
    });
  });

  test("is unknown for an unknown replica, another metric, and a time without readings", () => {
    const series = filled([1, 2]);
    assert.equal(series.window("api", "cpuCores", 0, 9_000), undefined);
    assert.equal(series.window("web", "memoryWorkingSetBytes", 0, 9_000), undefined);
    assert.equal(series.window("web", "cpuCores", 5_000, 9_000), undefined);
  });

  test("reaches back as far as the capacity, and not much farther", () => {
    const series = filled(
      Array.from({ length: 5_000 }, (_, second) => second),
      600,
    );
    const points = series.points("web", "cpuCores", -1);
    assert.ok(points.length >= 600 && points.length < 1_000, `${points.length} points`);
    const first = 5_000 - points.length;
    assert.deepEqual(
      points,
      points.map((_, index) => ({ atMs: (first + index) * 1_000, value: first + index })),
    );
    assert.equal(series.window("web", "cpuCores", 4_399_000, 9_999_000)?.count, 600);
  });

  test("goes on over a pause of two months", () => {
    const series = filled([1]);
    series.append({ replica: "web", readAtMs: 60 * 86_400_000, cpuCores: 2 });
    series.append({ replica: "web", readAtMs: 60 * 86_400_000 + 1, cpuCores: 3 });
    assert.deepEqual(
      series.points("web", "cpuCores", -1).map(({ atMs }) => atMs),
      [0, 60 * 86_400_000, 60 * 86_400_000 + 1],
    );
  });

  test("over a clock that is set back by more than is kept begins anew", () => {
    const series = filled(Array.from({ length: 2_000 }, () => 1));
    series.append({ replica: "web", readAtMs: -50_000, cpuCores: 2 });
    assert.deepEqual(series.points("web", "cpuCores", -100_000), [{ atMs: -50_000, value: 2 }]);
  });

  test("forgets what lies ahead of a clock that was set back", () => {
    const series = filled([1, 2, 3, 4]);
    series.append({ replica: "web", readAtMs: 1_500, cpuCores: 8 });
    assert.deepEqual(
      series.points("web", "cpuCores", -1).map((point) => point.value),
      [1, 2, 8],
    );
  });

  test("keeps a reading of the same instant once", () => {
    const series = filled([1, 2]);
    series.append({ replica: "web", readAtMs: 1_000, cpuCores: 5 });
    assert.equal(series.window("web", "cpuCores", 0, 1_000)?.count, 1);
  });

  test("is empty for a forgotten replica, and for the one after it", () => {
    const series = filled([1, 2, 3]);
    series.forget("web");
    assert.equal(series.window("web", "cpuCores", -1, 9_000), undefined);
    series.append({ replica: "api", readAtMs: 7_000, memoryWorkingSetBytes: 10 });
    assert.deepEqual(series.points("api", "cpuCores", -1), []);
    assert.deepEqual(series.points("api", "memoryWorkingSetBytes", -1), [{ atMs: 7_000, value: 10 }]);
    assert.deepEqual([...series.replicas], ["api"]);
  });
});

describe("the readings of a thousand replicas over an hour", () => {
  const bytesWith = (traffic: Partial<Sample>): number => {
    const series = new Series();
    for (let second = 0; second < 3_600; second += 1) {
      series.append({ replica: "web", readAtMs: second * 1_000, cpuCores: 1, ...traffic });
    }
    return series.bytes * 1_000;
  };

  test("take a third of what they may, with the requests of each", () => {
    const bytes = bytesWith({ requestsPerSecond: 10, latencyMs: 5 });
    assert.ok(bytes < 110_000_000, `${bytes} bytes`);
  });

  test("take no room for requests that nobody asks for", () => {
    const bytes = bytesWith({});
    assert.ok(bytes < 60_000_000, `${bytes} bytes`);
  });

  test("hold requests and latency beside the rest, and nothing where there were none", () => {
    const series = new Series();
    series.append({ replica: "web", readAtMs: 1_000, cpuCores: 1, cpuHeldBackRatio: 0.5 });
    series.append({ replica: "web", readAtMs: 2_000, cpuCores: 3, requestsPerSecond: 8, latencyMs: 20 });
    series.append({ replica: "web", readAtMs: 3_000, cpuCores: 3, requestsPerSecond: 0 });
    assert.equal(series.window("web", "cpuCores", 0, 3_000)?.count, 3);
    assert.deepEqual(series.points("web", "cpuHeldBackRatio", 0), [{ atMs: 1_000, value: 0.5 }]);
    assert.equal(series.window("web", "requestsPerSecond", 0, 3_000)?.mean, 4);
    assert.deepEqual(series.points("web", "latencyMs", 0), [{ atMs: 2_000, value: 20 }]);
    series.forget("web");
    assert.equal(series.window("web", "latencyMs", 0, 3_000), undefined);
  });
});
