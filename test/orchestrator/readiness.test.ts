import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Readiness } from "../../orchestrator/readiness.ts";
import { NOW_MS, replica } from "./builders.ts";

const LATER_MS = NOW_MS + 5_000;

/** As an engine says it, which does not know since when it is ready. */
function running(startedAtMs: number) {
  const { readyAtMs: _unknown, ...seen } = replica("web", 1, "running", { startedAtMs });
  return seen;
}

describe("since when a replica is ready", () => {
  test("is the moment at which it was first seen so, as long as it runs", () => {
    const readiness = new Readiness();
    readiness.apply([running(1)], NOW_MS);
    const [later] = readiness.apply([running(1)], LATER_MS);
    assert.equal(later?.readyAtMs, NOW_MS);
  });

  test("begins anew when it was started anew, was not ready, or was gone between", () => {
    for (const between of [[running(2)], [{ ...running(1), state: "unhealthy" as const }], []]) {
      const readiness = new Readiness();
      readiness.apply([running(1)], NOW_MS);
      readiness.apply(between, LATER_MS);
      const startedAtMs = between[0]?.startedAtMs ?? 1;
      const [last] = readiness.apply([running(startedAtMs)], LATER_MS);
      assert.equal(last?.readyAtMs, LATER_MS, JSON.stringify(between));
    }
  });

  test("makes no new value of one that is seen as it was", () => {
    const readiness = new Readiness();
    const seen = running(1);
    const [first] = readiness.apply([seen], NOW_MS);
    const [second] = readiness.apply([seen], LATER_MS);
    assert.equal(first, second);
  });
});
