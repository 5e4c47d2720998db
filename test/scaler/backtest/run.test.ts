import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FlyballError } from "../../../core/errors.ts";
import { policyOfLabels } from "../../../scaler/backtest/flyball.ts";
import { type BacktestRequest, backtest, MODEL_BOUNDS } from "../../../scaler/backtest/run.ts";

/** A busy afternoon, with a sample each minute. */
const CSV = [
  "timestamp_seconds,value",
  ...Array.from(
    { length: 240 },
    (_, minute) => `${minute * 60},${Math.round(100 + 90 * Math.sin(minute / 30))}`,
  ),
].join("\n");

function requestOf(changes: Partial<BacktestRequest> = {}): BacktestRequest {
  return {
    trace: { name: "afternoon.csv", text: CSV },
    labels: "autoscale.max_cpu=70",
    startDelayMs: 10_000,
    capacity: "auto",
    compare: [],
    ...changes,
  };
}

function refusal(run: () => unknown): FlyballError {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof FlyballError);
    return error;
  }
  return assert.fail("was not refused");
}

describe("a backtest", () => {
  test("scores the policy of the labels first, then those it is compared with, in the order asked for", () => {
    const { report } = backtest(requestOf({ compare: ["oracle", "hpa", "static"] }));
    assert.deepEqual(
      report.policies.map(({ name }) => name),
      ["flyball", "oracle", "hpa 70 %", "static"],
    );
    assert.equal(report.trace.samples, 240);
    assert.equal(report.policies[0]?.scores.hours, 4);
  });

  test("of the same request is the same to the last byte", () => {
    const text = () => {
      const { report, series, plot } = backtest(requestOf({ compare: ["hpa", "knative", "aliyun", "aws"] }));
      return JSON.stringify(report) + [...series()].join("") + plot();
    };
    assert.equal(text(), text());
  });

  test("keeps to the model's bounds, and to those of the labels where they name any", () => {
    const most = (labels: string) => {
      const rows = [...backtest(requestOf({ labels, capacity: 1 })).series()]
        .join("")
        .trimEnd()
        .split("\n")
        .slice(1);
      return Math.max(...rows.map((row) => Number(row.split(",")[2])));
    };
    assert.equal(most("autoscale.max_cpu=70"), 60);
    assert.equal(most("autoscale.max_cpu=70,autoscale.max=7"), 7);
    assert.equal(most("aliyun.auto_scaling.max_cpu=70,aliyun.auto_scaling.max_instances=8"), 8);
  });

  test("draws the picture of the policy of the labels", () => {
    const svg = backtest(requestOf({ trace: { name: "a<b>&c.csv", text: CSV } })).plot();
    assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox=/);
    assert.match(svg, /a&lt;b&gt;&amp;c\.csv: flyball, overload [\d.]+ %, cost [\d.]+/);
    for (const part of ["demand", "ordered", "serving"]) assert.match(svg, new RegExp(`class="${part}"`));
    assert.ok(!/NaN|undefined|Infinity/.test(svg));
    assert.ok(svg.trimEnd().endsWith("</svg>"));
  });

  test("shades the overload where there is any, and nothing where there is none", () => {
    assert.match(backtest(requestOf({ capacity: 1 })).plot(), /class="overload"/);
    assert.ok(
      !backtest(requestOf({ capacity: 1_000 }))
        .plot()
        .includes('class="overload"'),
    );
  });

  test("refuses a policy that it does not know, and names those it does", () => {
    const { code, message } = refusal(() => backtest(requestOf({ compare: ["hpa", "keda"] })));
    assert.equal(code, "CONFIG_INVALID");
    assert.match(message, /among hpa, knative, aliyun, aws, static, oracle, got "keda"/);
  });
});

describe("labels in one line", () => {
  test("are the labels of a service, for replicas of one core", () => {
    const policy = policyOfLabels(
      " autoscale.max_cpu = 70 , autoscale.step=2,autoscale.window=30s",
      MODEL_BOUNDS,
    );
    assert.deepEqual(
      [policy.rules.length, policy.rules[0]?.capacity, policy.step, policy.windowMs, policy.maxReplicas],
      [1, 1, 2, 30_000, 60],
    );
  });

  const wrong: readonly [string, RegExp][] = [
    ["", /expected labels as autoscale\.max_cpu=70,autoscale\.step=2, got ""/],
    ["autoscale.max_cpu", /got "autoscale\.max_cpu"/],
    ["autoscale.max_cpu=70,autoscale.max_cpu=80", /expected each label once, got autoscale\.max_cpu twice/],
    ["autoscale.max_cpu=many", /expected a percentage, .* got "many"/],
    ["autoscale.max_cpus=70", /did you mean|autoscale\.max_cpu/],
    ["autoscale.min=2", /expected a rule to scale by/],
    ["autoscale.max_memory=80", /expected rules on cpu alone, got one on memory/],
  ];
  for (const [labels, message] of wrong) {
    test(`are refused with a reason: ${JSON.stringify(labels)}`, () => {
      const error = refusal(() => policyOfLabels(labels, MODEL_BOUNDS));
      assert.equal(error.code, "LABEL_INVALID");
      assert.match([error.message, ...error.problems.map((problem) => problem.message)].join("\n"), message);
    });
  }
});
