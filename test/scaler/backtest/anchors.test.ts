import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { aliyun } from "../../../scaler/backtest/anchors/aliyun.ts";
import { aws } from "../../../scaler/backtest/anchors/aws.ts";
import { hpa } from "../../../scaler/backtest/anchors/hpa.ts";
import { knative } from "../../../scaler/backtest/anchors/knative.ts";
import { oracle } from "../../../scaler/backtest/anchors/oracle.ts";
import { staticCount } from "../../../scaler/backtest/anchors/static.ts";
import { stepTest } from "../../bench/scaler-step.ts";
import { asking, changesOf, inPhases, loadOfDemand, orderedBy, situationOf } from "./situations.ts";

/** Steps of 5 s. */
const MINUTE = 12;
const FOUR = { initialReplicas: 4 } as const;

describe("the HPA", () => {
  test("stays within its tolerance: 10 % around the target", () => {
    // 70 % of 4 is 2.8: a tenth more is 3.08, a tenth less is 2.52.
    assert.deepEqual(changesOf(orderedBy(hpa(), inPhases([20 * MINUTE, 3.07]), FOUR)), []);
    assert.deepEqual(changesOf(orderedBy(hpa(), inPhases([20 * MINUTE, 2.53]), FOUR)), []);
    assert.deepEqual(changesOf(orderedBy(hpa(), inPhases([MINUTE, 3.12]), FOUR)), ["15: 5"]);
  });

  test("scales in only to the highest count that it recommended within 300 s", () => {
    const ordered = orderedBy(hpa(), inPhases([10 * MINUTE, 2.8], [20 * MINUTE, 0.7]), FOUR);
    const [first = "", ...more] = changesOf(ordered);
    const [second, count] = first.split(": ").map(Number);
    assert.equal(count, 1);
    assert.deepEqual(more, []);
    // The metric shows the fall up to 30 s later, and then the window begins.
    assert.ok((second ?? 0) > 600 + 300 && (second ?? 0) <= 600 + 300 + 45, first);
  });

  test("sees nothing beyond 100 %, so that it grows by 1 / 0.7 a round", () => {
    const counts = [...new Set(orderedBy(hpa(), inPhases([MINUTE, 2.8], [10 * MINUTE, 12]), FOUR))];
    assert.equal(Math.max(...counts), 18);
    for (const [round, count] of counts.entries()) {
      assert.ok(count <= Math.ceil((counts[round - 1] ?? count) / 0.7), counts.join(" "));
    }
  });

  test("adds at most 4 pods or 100 % in 15 s", () => {
    const fast = hpa({ targetRatio: 0.1, metricAgeMs: 0, metricWindowMs: 5_000 });
    const counts = [
      ...new Set(orderedBy(fast, inPhases([2 * MINUTE, 6]), { initialReplicas: 3, startDelayMs: 0 })),
    ];
    assert.deepEqual(counts.slice(0, 3), [7, 14, 28]);
  });

  test("counts replicas without a reading as idle when it scales out", () => {
    const ask = asking(hpa(), 5_000);
    for (let step = 0; step < 12; step += 1) assert.equal(ask({ utilization: 0.7 }), 4);
    // 90 % of 4 old ones would be 6; with 4 new ones that count as idle it is 3.6 of 8.
    let last = 0;
    for (let step = 0; step < 7; step += 1) last = ask({ desired: 8, serving: 4, utilization: 0.9 });
    assert.equal(last, 8);
  });
});

describe("Knative", () => {
  test("follows the mean of a minute in calm times", () => {
    const ordered = orderedBy(knative(), inPhases([5 * MINUTE, 2.8], [5 * MINUTE, 4.2]), FOUR);
    // 5 replicas at 70 % do 3.5, which the mean of 12 readings passes at the seventh new one.
    assert.deepEqual(changesOf(ordered), ["300: 5", "330: 6"]);
  });

  test("panics when six seconds ask for twice of what is ready, and takes nothing back for a minute", () => {
    const ordered = orderedBy(knative(), inPhases([5 * MINUTE, 2.8], [2, 14], [5 * MINUTE, 2.8]), FOUR);
    const [jump = "", ...after] = changesOf(ordered);
    assert.equal(jump, "300: 12");
    const fall = after.find((change) => Number(change.split(": ")[1]) < 20) ?? "";
    assert.ok(after.length > 0 && Number(fall.split(":")[0]) > 360, after.join(", "));
  });

  test("halves at most when it scales in", () => {
    const counts = new Set(orderedBy(knative(), inPhases([3 * MINUTE, 0.1]), { initialReplicas: 16 }));
    assert.deepEqual([...counts], [16, 8, 4, 2, 1]);
  });
});

describe("the labels of Aliyun", () => {
  test("act after three consecutive minutes above the bound", () => {
    const ordered = orderedBy(aliyun(), inPhases([MINUTE, 2], [4 * MINUTE, 3]), FOUR);
    assert.deepEqual(changesOf(ordered), ["240: 6"]);
  });

  test("do not act when one of three minutes is within the bounds", () => {
    const demand = inPhases([2 * MINUTE, 3], [MINUTE, 2.7], [2 * MINUTE, 3], [MINUTE, 2.7]);
    assert.deepEqual(changesOf(orderedBy(aliyun(), demand, FOUR)), []);
  });

  test("take the same step in as out, after three minutes below the lower bound", () => {
    const ordered = orderedBy(aliyun({ step: 1 }), inPhases([7 * MINUTE, 1]), FOUR);
    assert.deepEqual(changesOf(ordered), ["180: 3"]);
  });

  test("flap by arithmetic at 70/30 with step 2: 75 % of one is 25 % of three", () => {
    const changes = changesOf(orderedBy(aliyun(), inPhases([20 * MINUTE, 0.75]), { initialReplicas: 1 }));
    assert.deepEqual(changes.slice(0, 4), ["180: 3", "360: 1", "540: 3", "720: 1"]);
  });
});

describe("target tracking of AWS", () => {
  test("scales out in proportion after three minutes above, and then not for its cooldown", () => {
    const ordered = orderedBy(aws(), inPhases([10 * MINUTE, 8]), FOUR);
    assert.deepEqual(changesOf(ordered), ["180: 6", "480: 9"]);
  });

  test("scales in after fifteen minutes below 90 % of the target, by a quarter at most", () => {
    const ordered = orderedBy(aws(), inPhases([22 * MINUTE, 0.8]), { initialReplicas: 8 });
    assert.deepEqual(changesOf(ordered), ["900: 6", "1200: 5"]);
    // 15 replicas would do at 65 %, but that is within 90 % of the target.
    assert.deepEqual(changesOf(orderedBy(aws(), inPhases([30 * MINUTE, 10.4]), { initialReplicas: 16 })), []);
  });
});

describe("a static count", () => {
  test("is what the 99.9th percentile takes", () => {
    const demand = inPhases([1_000, 16], [1, 50]);
    assert.deepEqual(new Set(orderedBy(staticCount({ load: loadOfDemand(demand) }), demand)).size, 1);
    assert.equal(staticCount({ load: loadOfDemand(demand) }).name, "static");
    assert.equal(orderedBy(staticCount({ load: loadOfDemand(demand) }), demand)[0], 20);
  });
});

describe("the oracle", () => {
  const demand = [0.4, 0.4, 0.4, 0.4, 8, 8, 0.4, 0.4, 4, 0.4];

  test("orders what will be asked when the order serves, and keeps what will be asked until then", () => {
    const situation = situationOf(loadOfDemand(demand), { startDelayMs: 10_000 });
    assert.deepEqual(
      orderedBy(oracle(situation), demand, { startDelayMs: 10_000 }),
      [1, 1, 10, 10, 10, 10, 5, 5, 5, 1],
    );
  });

  test("with no start delay orders what is asked", () => {
    const situation = situationOf(loadOfDemand(demand), { startDelayMs: 0 });
    assert.deepEqual(
      orderedBy(oracle(situation), demand, { startDelayMs: 0 }),
      [1, 1, 1, 1, 10, 10, 1, 1, 5, 1],
    );
  });
});

describe("the models answer a load step", () => {
  // Seconds until the first decision and until enough serve, mean and worst of 20 phases, as published for the anchors.
  const published = [
    ["hpa", () => hpa(), [30, 36], [94, 124]],
    ["aliyun, step 2", () => aliyun(), [170, 198], [540, 568]],
    ["aws", () => aws(), [170, 198], [480, 508]],
  ] as const;
  for (const [name, make, decision, serving] of published) {
    test(`as the reference's model of ${name} does`, () => {
      const answer = stepTest(make);
      const rounded = ({ mean, worst }: { mean: number; worst: number }) => [Math.round(mean), worst];
      assert.deepEqual([rounded(answer.decision), rounded(answer.serving)], [decision, serving]);
    });
  }
});
