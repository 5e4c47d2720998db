import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { afterAnswer, type ProbeHealth, pauseMs, UNASKED } from "../../orchestrator/probes/health.ts";
import { timingOf } from "../../orchestrator/probes/timing.ts";

const timing = timingOf({ kind: "tcp", successThreshold: 2, retries: 2, startPeriodMs: 1_000 });
const after = (answers: string, sinceStartMs = 0, health: ProbeHealth = UNASKED, by = timing) =>
  [...answers].reduce((before, answer) => afterAnswer(by, before, answer === "+", sinceStartMs), health);

describe("what the answers of a probe come to", () => {
  test("a replica is ready after as many successes in a row as are asked for", () => {
    assert.equal(after("+").state, "starting");
    assert.equal(after("+-+").state, "starting");
    assert.equal(after("+-++").state, "running");
  });

  test("failures of the start period do not count, later ones do", () => {
    assert.equal(after("-----", 999).state, "starting");
    assert.equal(after("-", 1_000).state, "starting");
    assert.equal(after("--", 1_000).state, "unhealthy");
  });

  test("without a start period what was never ready does not become unhealthy", () => {
    const patient = timingOf({ kind: "tcp" });
    assert.deepEqual(after("-".repeat(100), 1e9, UNASKED, patient), UNASKED);
  });

  test("what was ready is unhealthy after its retries, in the start period too, and ready again as before", () => {
    const ready = after("++");
    assert.equal(after("-", 0, ready).state, "running");
    assert.equal(after("-+-", 0, ready).state, "running");
    const ill = after("--", 0, ready);
    assert.equal(ill.state, "unhealthy");
    assert.equal(after("+", 0, ill).state, "unhealthy");
    assert.equal(after("++", 0, ill).state, "running");
  });

  test("it is asked often until it is ready, and a command more seldom", () => {
    const pauses = (kind: "tcp" | "cmd") => {
      const by = timingOf({ kind });
      return [pauseMs(by, UNASKED), pauseMs(by, { ...UNASKED, state: "running" }), by.timeoutMs];
    };
    assert.deepEqual(pauses("tcp"), [100, 2_000, 2_000]);
    assert.deepEqual(pauses("cmd"), [1_000, 10_000, 5_000]);
    assert.equal(timingOf({ kind: "cmd", intervalMs: 500 }).startIntervalMs, 500);
  });
});
