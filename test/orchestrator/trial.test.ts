import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { comparison } from "../../orchestrator/rollout/proportions.ts";
import { beginTrial, type Colour, coloursOf, judge, type Trial } from "../../orchestrator/rollout/trial.ts";
import { NOW_MS } from "./builders.ts";

const MINUTE_MS = 60_000;
const stepping: Trial = { kind: "canary", weightRatio: 0.2, nextRatios: [0.5], stepMs: MINUTE_MS };
const byHand: Trial = { kind: "canary", weightRatio: 0.2, nextRatios: [] };
const good = (requests: number, changes: Partial<Colour> = {}): Colour => ({
  requests,
  errors: 0,
  latencyMs: 20,
  ...changes,
});

function verdictOn(trial: Trial, fresh: Colour, old: Colour = good(1_000), readyForMs = 2 * MINUTE_MS) {
  return judge(trial, { old, fresh, readySinceMs: NOW_MS - readyForMs }, NOW_MS);
}

describe("a trial begins", () => {
  test("as a canary with its weight, the steps above it still to come", () => {
    assert.deepEqual(beginTrial({ kind: "canary", weightRatio: 0.2 }), byHand);
    assert.deepEqual(
      beginTrial({ kind: "canary", weightRatio: 0.2, stepRatios: [0.05, 0.2, 0.5], stepMs: MINUTE_MS }),
      stepping,
    );
    const { weightRatio, nextRatios } = beginTrial({ kind: "canary", stepRatios: [0.05, 0.5] });
    assert.deepEqual({ weightRatio, nextRatios }, { weightRatio: 0.05, nextRatios: [0.5] });
  });

  test("as a blue-green without any request", () => {
    const { weightRatio, nextRatios } = beginTrial({ kind: "blue-green", stepRatios: [0.2, 0.8] });
    assert.deepEqual({ weightRatio, nextRatios }, { weightRatio: 0, nextRatios: [0.2, 0.8] });
  });
});

test("the capacity goes with the weight, and neither template is without a replica", () => {
  const counts = (weightRatio: number, wanted: number) => {
    const { fresh, old } = coloursOf({ kind: "canary", weightRatio }, wanted);
    return [fresh, old];
  };
  assert.deepEqual(counts(0.2, 5), [1, 4]);
  assert.deepEqual(counts(0.2, 6), [2, 4]);
  assert.deepEqual(counts(0.07, 100), [7, 93]);
  assert.deepEqual(counts(0.2, 1), [1, 1]);
  assert.deepEqual(counts(0.99, 4), [4, 1]);
  assert.deepEqual(counts(0.2, 0), [0, 0]);
  assert.deepEqual(coloursOf({ kind: "blue-green", weightRatio: 0.2 }, 3), { fresh: 3, old: 3 });
});

describe("a step", () => {
  test("is followed by the next when it was watched for long enough and is no worse", () => {
    const next = { ...stepping, weightRatio: 0.5, nextRatios: [] };
    assert.deepEqual(verdictOn(stepping, good(1_000)), { kind: "next", trial: next });
    assert.deepEqual(verdictOn(next, good(1_000)), { kind: "promote" });
  });

  test("is waited on, and says for what", () => {
    const missing = (...[fresh, old, readyForMs]: [Colour, Colour?, number?]) => {
      const verdict = verdictOn(stepping, fresh, old, readyForMs);
      return verdict.kind === "stay" ? verdict.missing : verdict.kind;
    };
    assert.equal(missing(good(1_000), undefined, MINUTE_MS / 2), "30s more at this weight");
    assert.match(missing(good(0)), /^requests: 0 were counted at the new template and 1000 at the old one/);
    assert.match(missing(good(1_000), good(0)), /^requests: 1000 were counted at the new template and 0/);
    assert.match(missing(good(30)), /^more requests: after 30, up to \d+ % more of them may fail/);
    assert.match(missing({ requests: 1_000, errors: 0 }), /how long they take/);
    const { kind } = judge(stepping, { old: good(1_000), fresh: good(1_000) }, NOW_MS);
    assert.equal(kind, "stay");
  });

  test("of a person's own goes on only when the person says so", () => {
    assert.deepEqual(verdictOn(byHand, good(100_000)), {
      kind: "stay",
      missing: "somebody to promote or abort it",
    });
  });

  test("without requests asks for replicas that have proven healthy, and for nothing else", () => {
    const blueGreen = beginTrial({ kind: "blue-green", stepRatios: [0.2] });
    const nothing = { requests: 0, errors: 0 };
    assert.equal(verdictOn(blueGreen, nothing, good(10)).kind, "next");
    assert.equal(judge(blueGreen, { old: good(10), fresh: nothing }, NOW_MS).kind, "stay");
  });
});

describe("a trial is aborted", () => {
  const reasonOf = (fresh: Colour, old?: Colour, trial = byHand) => {
    const verdict = verdictOn(trial, fresh, old, 0);
    return verdict.kind === "abort" ? verdict.reason : verdict.kind;
  };

  test("when more of its requests fail than before, by more than chance", () => {
    assert.equal(
      reasonOf(good(100, { errors: 30 }), good(400, { errors: 2 })),
      "30 of 100 of its requests failed, and 2 of 400 of the others",
    );
    assert.match(reasonOf(good(20, { errors: 7 }), good(80)), /^7 of 20 of its/);
  });

  test("not when as many failed before, nor when it may be chance", () => {
    assert.equal(reasonOf(good(100, { errors: 30 }), good(400, { errors: 120 })), "stay");
    assert.equal(reasonOf(good(10, { errors: 1 }), good(90)), "stay");
  });

  test("when it is much slower, and not when it is a little slower or was asked too seldom to tell", () => {
    assert.equal(
      reasonOf(good(500, { latencyMs: 400 })),
      "its requests take 400 ms at p95, and the others 20 ms",
    );
    assert.equal(reasonOf(good(500, { latencyMs: 90 })), "stay");
    assert.equal(reasonOf(good(99, { latencyMs: 400 })), "stay");
    assert.equal(reasonOf(good(500, { latencyMs: 390 }), good(500, { latencyMs: 200 })), "stay");
  });
});

describe("two shares of requests that failed", () => {
  test("are as far apart as Newcombe's example of method 10 has it", () => {
    const [fresh, old] = [
      { requests: 70, errors: 56 },
      { requests: 80, errors: 48 },
    ];
    const { leastMore, mostMore } = comparison(fresh, old, 1.959964);
    assert.deepEqual([leastMore.toFixed(4), mostMore.toFixed(4)], ["0.0524", "0.3339"]);
    assert.ok(comparison(fresh, old).leastMore < leastMore, "a thousandth is more careful than a fortieth");
  });

  test("may be anything when nothing was asked", () => {
    const { leastMore, mostMore } = comparison({ requests: 0, errors: 0 }, { requests: 0, errors: 0 });
    assert.deepEqual([leastMore, mostMore], [-1, 1]);
  });
});
