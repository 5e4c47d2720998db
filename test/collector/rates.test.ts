import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { cpuCoresBetween } from "../../collector/read/rates.ts";

describe("cores in use between two readings", () => {
  const before = { cpuUsageSeconds: 10, atMonotonicMs: 5_000 };
  const at = (cpuUsageSeconds: number, atMonotonicMs: number) =>
    cpuCoresBetween(before, { cpuUsageSeconds, atMonotonicMs }, 5_000);

  test("are seconds of CPU per second of time", () => {
    assert.equal(at(11.5, 6_000), 1.5);
    assert.equal(at(10.5, 7_000), 0.25);
  });

  test("are zero for a replica that did nothing", () => assert.equal(at(10, 6_000), 0));

  test("are unknown at the first reading", () => {
    assert.equal(cpuCoresBetween(undefined, before, 5_000), undefined);
  });

  test("are unknown after the counter fell", () => assert.equal(at(9.99, 6_000), undefined));

  test("are unknown when no time passed, or time went back", () => {
    assert.equal(at(11, 5_000), undefined);
    assert.equal(at(11, 4_000), undefined);
  });

  test("are unknown over a gap longer than the bound, and known at the bound", () => {
    assert.equal(at(15, 10_000), 1);
    assert.equal(at(15, 10_001), undefined);
  });
});
