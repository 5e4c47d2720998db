import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FlyballError } from "../../../core/errors.ts";
import type { Rule } from "../../../core/types.ts";
import { MINUTE_MS } from "../../../core/units.ts";
import { backtest } from "../../../scaler/backtest/run.ts";
import { type ServiceHistory, serviceLoad } from "../../../scaler/backtest/service-load.ts";
import { policyOf } from "../builders.ts";

const START_MS = 1_700_000_040_000;

function historyOf(
  minutes: number,
  demandOf: (minute: number) => ServiceHistory["minutes"][number]["demand"] = () => ({ cpu: 2 }),
): ServiceHistory {
  return {
    service: "shop_web",
    resources: { limitCores: 1, limitMemoryBytes: 100 },
    minutes: Array.from({ length: minutes }, (_, minute) => ({
      atMs: START_MS + minute * MINUTE_MS,
      demand: demandOf(minute),
    })),
  };
}

const cpu: Rule = { metric: "cpu", max: 0.7, capacity: 1, enforced: true };
const memory: Rule = { metric: "memory", max: 0.8, capacity: 100 };
const query: Rule = { metric: "query", max: 3, expression: "up" };

describe("the load of a service's own history", () => {
  test("is the demand on the rule's metric, in replicas; what is missing is a gap", () => {
    const history = historyOf(90, (minute) =>
      minute === 30 || minute === 31 ? {} : { cpu: minute / 10, memory: 1 },
    );
    const { trace } = serviceLoad(history, policyOf({ rules: [cpu] }));
    assert.deepEqual([trace.name, trace.values.length, trace.gaps, trace.missing], ["shop_web", 88, 1, 2]);
    assert.deepEqual([trace.timesMs[0], trace.values[29], trace.values[30]], [START_MS, 2.9, 3.2]);
    assert.equal(serviceLoad(history, policyOf({ rules: [memory] })).trace.values[50], 1);
  });

  test("is in replicas as the policy would have them, when they may use more than now", () => {
    const twice = { ...cpu, capacity: 2 };
    assert.equal(serviceLoad(historyOf(60), policyOf({ rules: [twice] })).trace.values[0], 1);
  });

  test("is replayed with one rule, and for real though the labels only show", () => {
    const { policy, leftOut } = serviceLoad(
      historyOf(60),
      policyOf({ rules: [query, memory, cpu], dryRun: true }),
    );
    assert.deepEqual(policy.rules, [cpu]);
    assert.deepEqual(leftOut, ["query", "memory"]);
    assert.equal(policy.dryRun, false);
  });

  const refused: [string, ServiceHistory, Rule, string, RegExp][] = [
    [
      "a rule on neither",
      historyOf(90),
      query,
      "NOT_SCALABLE",
      /shop_web has no rule on cpu or memory.* on query/,
    ],
    ["no minute of the metric", historyOf(90), memory, "NOT_FOUND", /no history of the memory of shop_web/],
    [
      "less than an hour",
      historyOf(59),
      cpu,
      "REQUEST_INVALID",
      /expected an hour of history of shop_web, got 59m/,
    ],
  ];
  for (const [what, history, rule, code, message] of refused) {
    test(`is refused for ${what}`, () => {
      assert.throws(
        () => serviceLoad(history, policyOf({ rules: [rule] })),
        (error) => error instanceof FlyballError && error.code === code && message.test(error.message),
      );
    });
  }

  test("is scored as a trace of the same numbers is", () => {
    const history = historyOf(240, (minute) => ({ cpu: 3 + 2 * Math.sin(minute / 30) }));
    const text = [
      "timestamp_seconds,value",
      ...history.minutes.map(({ atMs, demand }) => `${atMs / 1_000},${demand.cpu}`),
    ].join("\n");
    const conditions = { startDelayMs: 10_000, compare: ["hpa"] };
    const labels = "autoscale.max_cpu=70,autoscale.max=20";
    const own = backtest({ history, rules: { labels }, ...conditions });
    const file = backtest({ trace: { name: "a.csv", text }, labels, capacity: 1, ...conditions });
    assert.deepEqual(own.report.policies, file.report.policies);
    assert.deepEqual([...own.series()], [...file.series()]);
    assert.ok(!("capacity" in own.report));
  });

  test("has the bounds of a live service, the configuration's among them", () => {
    const boundsOf = (defaults: Readonly<Record<string, string>>) => {
      const rules = { labels: "autoscale.max_cpu=70", defaults };
      const { report } = backtest({ history: historyOf(60), rules, startDelayMs: 0, compare: [] });
      return [report.minReplicas, report.maxReplicas];
    };
    assert.deepEqual(boundsOf({}), [1, 10]);
    assert.deepEqual(boundsOf({ min: "2", max: "7" }), [2, 7]);
  });
});
