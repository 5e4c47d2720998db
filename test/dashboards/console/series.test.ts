import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { chartData, sparkPath } from "../../../dashboards/console/page/state/series.ts";
import { aPoint, T0_MS } from "./builders.ts";

const minute = (atMs: number, cpu: number, replicas = 2) => ({
  atMs,
  readings: 60,
  replicas,
  demand: { cpu },
});

describe("what a chart draws", () => {
  test("minutes of the past by replica, and from where the page has looked itself, its seconds", () => {
    const minutes = [minute(T0_MS - 120_000, 1), minute(T0_MS - 60_000, 0.5), minute(T0_MS, 9)];
    const data = chartData(minutes, [aPoint(T0_MS), aPoint(T0_MS + 1_000, { cpuRatio: undefined })], 0);
    assert.deepEqual(
      data.at,
      [-120, -60, 0, 1].map((seconds) => T0_MS / 1_000 + seconds),
    );
    assert.deepEqual(data.cpu, [50, 25, 50, null]);
    assert.deepEqual(data.memory, [null, null, 25, 25]);
    assert.deepEqual(data.replicas, [2, 2, 2, 2]);
  });

  test("nothing of before", () => {
    assert.deepEqual(chartData([minute(T0_MS - 60_000, 1)], [aPoint(T0_MS)], T0_MS).at, [T0_MS / 1_000]);
  });

  test("no line where nothing was read, and none by nobody", () => {
    const { cpu } = chartData([], [aPoint(T0_MS), aPoint(T0_MS + 60_000)], 0);
    assert.deepEqual(cpu, [50, null, 50]);
    assert.deepEqual(chartData([minute(T0_MS, 0, 0)], [], 0).cpu, [null]);
  });
});

test("a line of a tile ends at its right edge, and is torn where nothing was read", () => {
  const size = { width: 100, height: 22, top: 1, length: 5 };
  assert.equal(sparkPath([1, 0], size), "M75.0 1.0L100.0 21.0");
  assert.equal(sparkPath([1, undefined, 0.5], size), "M50.0 1.0M100.0 11.0");
  assert.equal(
    sparkPath([9, 9, 9, 9, 9, 9, 2], size).match(/[ML]/g)?.length,
    5,
    "no more than there is room for",
  );
});
