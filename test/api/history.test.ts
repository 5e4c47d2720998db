import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { historyView, type KeptMinute } from "../../api/history.ts";
import type { Resources, ScalingPolicy } from "../../core/types.ts";
import { DAY_MS, MINUTE_MS } from "../../core/units.ts";
import { historySchema } from "../../core/wire-history.ts";
import { policyOf, serviceOf } from "../scaler/builders.ts";

const NOW_MS = 100 * DAY_MS;

function view(
  span: Parameters<typeof historyView>[1],
  {
    resources = {},
    startupMs,
    scaling,
  }: { resources?: Resources; startupMs?: number; scaling?: ScalingPolicy } = {},
) {
  const { template } = serviceOf();
  const service = serviceOf({ template: { ...template, resources }, scaling: scaling ?? policyOf() });
  const asked: [number, number][] = [];
  const read = (fromMs: number, toMs: number): KeptMinute[] => {
    asked.push([fromMs, toMs]);
    return [
      {
        atMs: fromMs,
        readings: 60,
        replicas: 3,
        cpuCores: 1.5,
        memoryWorkingSetBytes: 300,
        requestsPerSecond: 90,
      },
      { atMs: fromMs + MINUTE_MS, readings: 4, replicas: 3 },
    ];
  };
  return { history: historyView({ service, startupMs, read }, span, NOW_MS), asked };
}

describe("the history of a service", () => {
  test("is in what one replica may use", () => {
    const resources = { limitCores: 0.5, limitMemoryBytes: 600 };
    const { history } = view({}, { resources, startupMs: 12_000 });
    assert.deepEqual(
      history.minutes.map(({ demand }) => demand),
      [{ cpu: 3, memory: 0.5, rps: 90 }, {}],
    );
    assert.equal(history.startupMs, 12_000);
    assert.deepEqual(history.resources, resources);
  });

  test("has no memory where there is nothing that it would be a share of; CPU is then of one core", () => {
    const { history } = view({});
    assert.deepEqual(history.minutes[0]?.demand, { cpu: 1.5, rps: 90 });
    assert.ok(!("startupMs" in history));
  });

  test("is of the last day, unless another time is asked for", () => {
    assert.deepEqual(view({}).asked, [[NOW_MS - DAY_MS, NOW_MS]]);
    assert.deepEqual(view({ toMs: 5 * DAY_MS }).asked, [[4 * DAY_MS, 5 * DAY_MS]]);
    assert.ok(!("nextFromMs" in view({}).history));
  });

  test("is answered a day at a time, and says where to go on", () => {
    const { history, asked } = view({ fromMs: NOW_MS - 28 * DAY_MS });
    assert.deepEqual(asked, [[NOW_MS - 28 * DAY_MS, NOW_MS - 27 * DAY_MS]]);
    assert.equal(history.nextFromMs, NOW_MS - 27 * DAY_MS);
  });

  test("with rules and all is what the schema says, and nothing is lost on the way", () => {
    const scaling = policyOf({
      rules: [
        { metric: "cpu", max: 0.7, min: 0.3, capacity: 1, enforced: true },
        { metric: "query", max: 3, expression: "up" },
      ],
      stabilizationMs: 1_000,
      scaleInsPerHour: 3,
      schedule: [{ cron: "0 8 * * *", timeZone: "Europe/Berlin", minReplicas: 2, maxReplicas: 4 }],
      onExternalChange: "hold",
    });
    const { history } = view({}, { scaling });
    assert.deepEqual(historySchema.parse(JSON.parse(JSON.stringify(history))), history);
    assert.deepEqual(history.scaling, scaling);
  });
});
