import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Levels } from "../../collector/levels.ts";
import type { Sample } from "../../core/types.ts";
import { NOW_MS, replicaOf } from "../scaler/builders.ts";

const [FIRST, SECOND] = [replicaOf("first"), replicaOf("second", { slot: 2 })];

/** The newest seconds of two replicas: what each of them was read at in each. */
function levelsOf(...seconds: readonly [first: Partial<Sample>, second: Partial<Sample>][]): Levels {
  const levels = new Levels();
  for (const [index, [first, second]] of seconds.entries()) {
    const readAtMs = NOW_MS - (seconds.length - 1 - index) * 1_000;
    levels.append({ replica: FIRST.id, readAtMs, ...first });
    levels.append({ replica: SECOND.id, readAtMs, ...second });
  }
  return levels;
}

const lastTenSeconds = [NOW_MS - 10_000, NOW_MS] as const;

describe("the latency of a service", () => {
  test("is that of its replicas, weighted by the requests that each had", () => {
    const levels = levelsOf([
      { requestsPerSecond: 30, latencyMs: 100 },
      { requestsPerSecond: 10, latencyMs: 500 },
    ]);
    assert.deepEqual(levels.latency([FIRST, SECOND], ...lastTenSeconds), { mean: 200, newestAtMs: NOW_MS });
  });

  test("is nothing when nobody asks, and unknown when nobody counts", () => {
    const idle = levelsOf([{ requestsPerSecond: 0 }, { requestsPerSecond: 0 }]);
    assert.deepEqual(idle.latency([FIRST, SECOND], ...lastTenSeconds), { mean: 0, newestAtMs: NOW_MS });
    assert.equal(levelsOf([{}, {}]).latency([FIRST, SECOND], ...lastTenSeconds), undefined);
  });

  test("leaves out a replica that does not serve", () => {
    const levels = levelsOf([
      { requestsPerSecond: 30, latencyMs: 100 },
      { requestsPerSecond: 30, latencyMs: 900 },
    ]);
    const stopping = { ...SECOND, state: "stopping" as const };
    assert.equal(levels.latency([FIRST, stopping], ...lastTenSeconds)?.mean, 100);
  });
});

describe("the level of a replica", () => {
  test("needs two readings", () => {
    const once = levelsOf([{ requestsPerSecond: 5 }, {}]);
    assert.equal(once.ofReplica(FIRST, "rps", ...lastTenSeconds), undefined);
    const twice = levelsOf([{ requestsPerSecond: 5 }, {}], [{ requestsPerSecond: 7 }, {}]);
    assert.equal(twice.ofReplica(FIRST, "rps", ...lastTenSeconds)?.mean, 6);
  });

  test("says for which share of the time it was held back, where that can be read", () => {
    const levels = levelsOf([{ cpuHeldBackRatio: 0.2 }, {}], [{ cpuHeldBackRatio: 0.4 }, {}]);
    assert.ok(Math.abs((levels.heldBack(FIRST, ...lastTenSeconds) ?? 0) - 0.3) < 1e-6);
    assert.equal(levels.heldBack(SECOND, ...lastTenSeconds), undefined);
  });
});

describe("what is kept of replicas", () => {
  test("is the newest reading, and for whom of those it is known what they use", () => {
    const levels = levelsOf([{ cpuCores: 0.2 }, {}], [{ cpuCores: 0.4 }, {}]);
    assert.equal(levels.newest(FIRST.id)?.cpuCores, 0.4);
    assert.deepEqual([...levels.cores], [[FIRST.id, 0.4]]);
    levels.keepOnly(new Set([SECOND.id]));
    assert.equal(levels.newest(FIRST.id), undefined);
    assert.equal(levels.ofReplica(FIRST, "cpu", ...lastTenSeconds), undefined);
    assert.notEqual(levels.newest(SECOND.id), undefined);
  });
});
