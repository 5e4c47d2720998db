import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { StartTime } from "../../scaler/start-time.ts";
import { NOW_MS, replicaOf } from "./builders.ts";

const STARTING = { state: "starting", createdAtMs: NOW_MS } as const;

/** What is expected after replicas were watched that took so long, one after the other. */
function expectedAfter(...tookMs: readonly number[]): number {
  const startTime = new StartTime();
  for (const [index, took] of tookMs.entries()) watchStart(startTime, `replica-${index}`, took);
  return startTime.expectedMs;
}

function watchStart(startTime: StartTime, id: string, tookMs: number): void {
  startTime.observe([replicaOf(id, STARTING)]);
  startTime.observe([replicaOf(id, { createdAtMs: NOW_MS, readyAtMs: NOW_MS + tookMs })]);
}

describe("the time that a service takes to start", () => {
  test("is taken to be ten seconds until one was watched", () => {
    assert.equal(new StartTime().expectedMs, 10_000);
  });

  test("is from when a replica is made until it is ready", () => {
    assert.equal(expectedAfter(45_000), 45_000);
  });

  test("is the longest of the last five: who counts on less is late", () => {
    assert.equal(expectedAfter(4_000, 9_000, 5_000), 9_000);
    assert.equal(expectedAfter(90_000, 4_000, 4_000, 4_000, 4_000), 90_000);
    assert.equal(expectedAfter(90_000, 4_000, 4_000, 4_000, 4_000, 5_000), 5_000);
  });

  test("is not learned from a replica that was ready when it was first seen", () => {
    const startTime = new StartTime();
    startTime.observe([replicaOf("a", { createdAtMs: NOW_MS - 3_600_000, readyAtMs: NOW_MS })]);
    assert.equal(startTime.expectedMs, 10_000);
  });

  test("is learned once of each replica, though it is seen again and again", () => {
    const startTime = new StartTime();
    watchStart(startTime, "slow", 60_000);
    watchStart(startTime, "a", 4_000);
    for (let look = 0; look < 10; look += 1) {
      startTime.observe([replicaOf("a", { createdAtMs: NOW_MS, readyAtMs: NOW_MS + 4_000 })]);
    }
    assert.equal(startTime.expectedMs, 60_000);
  });

  test("is not learned from one that never became ready", () => {
    const startTime = new StartTime();
    startTime.observe([replicaOf("a", STARTING)]);
    startTime.observe([replicaOf("a", { state: "exited", createdAtMs: NOW_MS })]);
    startTime.observe([replicaOf("b", STARTING)]);
    startTime.observe([]);
    // One of the same name, that was ready when it was first seen.
    startTime.observe([replicaOf("b", { createdAtMs: NOW_MS, readyAtMs: NOW_MS + 1_000 })]);
    assert.equal(startTime.expectedMs, 10_000);
  });

  test("is not learned where the clock was set back in between, or where one of the two is not known", () => {
    assert.equal(expectedAfter(-5_000), 10_000);
    const startTime = new StartTime();
    startTime.observe([replicaOf("a", STARTING)]);
    const { readyAtMs: _, ...unready } = replicaOf("a", { createdAtMs: NOW_MS });
    startTime.observe([unready]);
    startTime.observe([replicaOf("b", { state: "starting" })]);
    startTime.observe([replicaOf("b")]);
    assert.equal(startTime.expectedMs, 10_000);
  });
});
