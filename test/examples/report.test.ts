import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { DecisionView } from "../../core/wire.ts";
import type { Told } from "../../examples/demo/alert-witness.ts";
import { type DemoEvent, latenciesOf, reportOf } from "../../examples/demo/report.ts";
import { summaryOf } from "../../examples/demo/summary.ts";

const LOAD = { cpuMsPerRequest: 5, limitCores: 0.35, calmPerSecond: 30, stepPerSecond: 90 };

function decision(atMs: number, from: number, to: number): DemoEvent {
  const view: DecisionView = {
    service: "shop_web",
    atMs,
    from,
    wanted: to,
    to,
    sentence: `from ${from} to ${to}`,
    verdicts: [],
    limits: [],
  };
  return { kind: "decision", decision: view };
}

function observed(atMs: number, ready: string[], ratio: number, running = ready.length): DemoEvent {
  return { kind: "observed", atMs, ready, running, cpu: { readAtMs: atMs - 100, ratio, maxRatio: 0.7 } };
}

function answer(atMs: number, replica: string, latencyMs = 10): DemoEvent {
  return { kind: "outcome", atMs, replica, latencyMs };
}

function told(by: Told["by"], atMs: number, status: Told["status"], text: string): DemoEvent {
  return { kind: "told", by, atMs, status, text };
}

const phase = (atMs: number, name: string, factor: number): DemoEvent => ({
  kind: "phase",
  atMs,
  name,
  factor,
});

/** A run in which everything went well. */
const CLOSED = {
  start: phase(1_000, "calm", 1),
  calm: observed(1_200, ["a"], 0.45),
  calmAnswer: answer(1_300, "a"),
  step: phase(11_000, "×3", 3),
  saturated: observed(12_000, ["a"], 0.98),
  out: decision(12_500, 1, 3),
  coming: observed(13_000, ["a"], 0.99, 3),
  grown: observed(13_500, ["a", "b", "c"], 0.95),
  oldAnswer: answer(13_600, "a", 900),
  newAnswer: answer(13_700, "b", 30),
  carried: observed(16_000, ["a", "b", "c"], 0.46),
  drop: phase(31_000, "calm again", 1),
  quiet: observed(40_000, ["a", "b", "c"], 0.15),
  in: decision(42_000, 3, 1),
  leaving: observed(42_500, ["a"], 0.2, 3),
  gone: observed(45_000, ["a"], 0.45),
  heard: told("websocket", 14_000, "firing", "shop_web: replicas > 2; 3 now"),
  mailed: told("mail", 14_200, "firing", "[FIRING:1] ServiceReplicas (shop)"),
  mailedEnd: told("mail", 43_000, "resolved", "[RESOLVED] ServiceReplicas (shop)"),
};

type Step = keyof typeof CLOSED;

/** The report of that run, without some of its events and with others at the end. */
function reportWithout(missing: readonly Step[] = [], more: readonly DemoEvent[] = []) {
  const events = Object.entries(CLOSED).flatMap(([name, event]) =>
    missing.includes(name as Step) ? [] : [event],
  );
  return reportOf({
    engine: "process",
    startedAtMs: 1_000,
    endedAtMs: 46_000,
    load: LOAD,
    retriedRequests: 2,
    events: [...events, ...more],
  });
}

describe("the demo's report", () => {
  test("gives the instant of each turn of a loop that closed", () => {
    const report = reportWithout();
    assert.deepEqual(report.unmet, []);
    assert.equal(report.closed, true);
    assert.equal(report.loadStepAt, 11_000);
    assert.equal(report.decisionAt, 12_500);
    assert.equal(report.firstReplicaServingAt, 13_700);
    assert.equal(report.cpuBelowMaxAt, 15_900);
    assert.equal(report.loadDropAt, 31_000);
    assert.equal(report.scaledInAt, 45_000);
    assert.deepEqual(report.replicas, [
      [1_200, 1],
      [13_500, 3],
      [42_500, 1],
    ]);
    assert.deepEqual([report.requests, report.failedRequests, report.retriedRequests], [3, 0, 2]);
    assert.deepEqual(
      report.decisions.map(({ from, to }) => [from, to]),
      [
        [1, 3],
        [3, 1],
      ],
    );
  });

  test("a replica on its way out still counts: scaled in is when it has gone", () => {
    assert.deepEqual(reportWithout(["gone"]).unmet, ["the service did not scale in again"]);
  });

  test("is not closed when the load was never raised", () => {
    const report = reportWithout(["step", "drop"]);
    assert.equal(report.closed, false);
    assert.deepEqual(report.unmet, ["the load was never raised"]);
  });

  test("is not closed by a scale-out from before the step", () => {
    const report = reportWithout(["out"], [decision(5_000, 1, 3)]);
    assert.deepEqual(report.unmet, ["no decision to scale out came after the load step"]);
  });

  test("is not closed while only the replicas from before the step answer", () => {
    assert.deepEqual(reportWithout(["newAnswer"]).unmet, ["no new replica answered a request"]);
  });

  test("a failed request to a new replica is not its first answer", () => {
    const failed: DemoEvent = {
      kind: "outcome",
      atMs: 13_700,
      replica: "b",
      latencyMs: 3,
      failure: "answered 503",
    };
    assert.deepEqual(reportWithout(["newAnswer"], [failed]).unmet, [
      "no new replica answered a request",
      "1 of 3 requests failed: answered 503",
    ]);
  });

  test("is not closed when CPU stays above the maximum", () => {
    const report = reportWithout(["carried", "quiet", "leaving", "gone"], [observed(45_000, ["a"], 0.9)]);
    assert.deepEqual(report.unmet, ["CPU did not come back below max_cpu"]);
  });

  test("is not closed when CPU falls only because the load does", () => {
    assert.deepEqual(reportWithout(["carried"]).unmet, [
      "CPU came back below max_cpu only when the load had gone",
    ]);
  });

  test("is not closed when a request failed", () => {
    const failed: DemoEvent = {
      kind: "outcome",
      atMs: 43_000,
      replica: "c",
      latencyMs: 3,
      failure: "socket hang up",
    };
    const report = reportWithout([], [failed]);
    assert.equal(report.closed, false);
    assert.equal(report.failedRequests, 1);
    assert.deepEqual(report.unmet, ["1 of 4 requests failed: socket hang up"]);
  });

  test("is not closed when nobody was told of the alert, one way or the other", () => {
    assert.deepEqual(reportWithout(["heard", "mailed"]).unmet, [
      "nobody was told of the alert by websocket",
      "nobody was told of the alert by mail",
    ]);
  });

  test("leaves out what did not happen", () => {
    const report = reportWithout(["out", "newAnswer", "gone"]);
    for (const key of ["decisionAt", "firstReplicaServingAt", "cpuBelowMaxAt", "scaledInAt"]) {
      assert.equal(key in report, false, key);
    }
  });

  test("says for a person what happened and what is missing", () => {
    assert.deepEqual(summaryOf(reportWithout(["gone"])), [
      "The loop did not close:",
      "  - the service did not scale in again",
      "",
      "load        30 requests/s, then 90 requests/s, then 30 requests/s",
      "            a request costs 5.0 ms of CPU here, a replica may use 0.35 cores",
      "",
      "after the load step",
      "    1.5 s  decision to scale out",
      "    2.7 s  first answer of a new replica",
      "    4.9 s  CPU below max_cpu",
      "   20.0 s  load back to calm",
      "    never  scaled in again",
      "",
      "replicas    1 (0.2 s) → 3 (12.5 s) → 1 (41.5 s)",
      "requests    3, failed 0, retried 2",
      "latency     p50 30 ms, p95 900 ms, p99 900 ms",
      "",
      "the alert that this was, as it was told",
      "    3.0 s  websocket  firing: shop_web: replicas > 2; 3 now",
      "    3.2 s  mail       [FIRING:1] ServiceReplicas (shop)",
      "   32.0 s  mail       [RESOLVED] ServiceReplicas (shop)",
    ]);
  });
});

describe("latencies", () => {
  test("are of the answered requests, by nearest rank", () => {
    const outcomes = Array.from({ length: 100 }, (_, i) => ({ latencyMs: 100 - i }));
    assert.deepEqual(latenciesOf([...outcomes, { latencyMs: 9_999, failure: "reset" }]), {
      p50: 50,
      p95: 95,
      p99: 99,
    });
  });

  test("are unknown when nothing was answered", () => {
    assert.equal(latenciesOf([{ latencyMs: 5, failure: "reset" }]), undefined);
  });
});
