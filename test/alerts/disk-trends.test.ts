import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DiskTrends } from "../../alerts/disk-trends.ts";
import { slopeOf } from "../../alerts/trend.ts";
import { NOW_MS } from "./builders.ts";

const GIB = 2 ** 30;
const MINUTE_MS = 60_000;
const disk = (availableBytes: number, mountPoint = "/srv") => ({
  ...{ mountPoint, availableBytes, sizeBytes: 100 * GIB, isOwn: false },
});

/** What is left after so many minutes of looks, each half a minute. */
function after(minutes: number, availableAt: (minute: number) => number): number | undefined {
  const trends = new DiskTrends();
  let left: number | undefined;
  for (let minute = 0; minute <= minutes; minute += 0.5) {
    left = trends.apply([disk(availableAt(minute))], NOW_MS + minute * MINUTE_MS)[0]?.fullInMs;
  }
  return left;
}

describe("a disk that fills", () => {
  test("has as much time left as its line says", () => {
    const left = after(60, (minute) => 50 * GIB - minute * 0.1 * GIB) ?? assert.fail("is not known");
    assert.ok(Math.abs(left - 440 * MINUTE_MS) < MINUTE_MS, `${left / MINUTE_MS} minutes`);
  });

  test("is judged by its way over hours, and not by one big file", () => {
    const jump = after(180, (minute) => (minute === 180 ? 40 : 50) * GIB) ?? Number.POSITIVE_INFINITY;
    assert.ok(jump > 24 * 60 * MINUTE_MS, `${jump / MINUTE_MS} minutes`);
  });

  test("has all the time in the world while it does not, or was not watched for long enough", () => {
    assert.equal(
      after(60, () => 50 * GIB),
      undefined,
    );
    assert.equal(
      after(60, (minute) => 20 * GIB + minute * GIB),
      undefined,
    );
    assert.equal(
      after(9, (minute) => 50 * GIB - minute * GIB),
      undefined,
    );
  });

  test("that went away and came back begins anew, and so does one whose clock went back", () => {
    const trends = new DiskTrends();
    const at = (minute: number) =>
      trends.apply([disk((50 - minute) * GIB)], NOW_MS + minute * MINUTE_MS)[0]?.fullInMs;
    for (let minute = 0; minute <= 20; minute += 1) at(minute);
    assert.ok(at(21) !== undefined);
    trends.apply([], NOW_MS + 22 * MINUTE_MS);
    assert.equal(at(23), undefined);
    for (let minute = 24; minute <= 40; minute += 1) at(minute);
    assert.ok(at(41) !== undefined);
    assert.equal(at(30), undefined);
  });
});

test("a slope is that of the straight line that fits best", () => {
  const at = (points: readonly (readonly [number, number])[]) =>
    slopeOf(points.map(([second, value]) => ({ atMs: NOW_MS + second * 1_000, value })));
  assert.equal(
    at([
      [0, 1],
      [1, 3],
      [2, 2],
      [3, 4],
    ]),
    0.0008,
  );
  assert.equal(
    at([
      [0, 5],
      [0, 7],
    ]),
    undefined,
  );
  assert.equal(at([]), undefined);
});
