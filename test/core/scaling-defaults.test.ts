import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkScalingDefaults, decodeLabels } from "../../core/labels.ts";
import type { Resources } from "../../core/types.ts";
import { PATH, said } from "./decode-labels.ts";

function decode(
  labels: Record<string, string>,
  defaults: Record<string, string>,
  resources: Resources = { limitCores: 1 },
) {
  return decodeLabels(labels, resources, PATH, { defaults });
}

describe("defaults for the labels of services", () => {
  test("hold for a service that says anything of scaling, where it does not say it itself", () => {
    const defaults = { max_cpu: "60", max: "20", window: "5s", policy: "step" };
    const { scaling, diagnostics } = decode({ "autoscale.min": "2", "autoscale.window": "8s" }, defaults);
    assert.deepEqual(diagnostics, []);
    assert.deepEqual(
      [scaling?.rules[0]?.max, scaling?.minReplicas, scaling?.maxReplicas, scaling?.windowMs, scaling?.kind],
      [0.6, 2, 20, 8_000, "step"],
    );
    const theirs = decode({ "aliyun.auto_scaling.max_cpu": "80" }, defaults).scaling;
    assert.equal(theirs?.rules[0]?.max, 0.8);
  });

  test("make no service scale that says nothing of it", () => {
    assert.deepEqual(decode({ "business.team": "shop" }, { max_cpu: "60" }), {
      businessLabels: { team: "shop" },
      diagnostics: [],
    });
  });

  test("give way to what a service says of the same matter by another label", () => {
    const bounds = (labels: Record<string, string>, defaults: Record<string, string>) => {
      const { scaling, diagnostics } = decode({ "autoscale.max_cpu": "70", ...labels }, defaults);
      assert.deepEqual(diagnostics, []);
      return [scaling?.minReplicas, scaling?.maxReplicas];
    };
    assert.deepEqual(bounds({ "autoscale.min": "30" }, { max: "20" }), [30, 30]);
    assert.deepEqual(bounds({ "autoscale.max": "1" }, { min: "2", max: "20" }), [1, 1]);
    const kind = decode({ "autoscale.max_cpu": "70", "autoscale.step": "2" }, { policy: "target" });
    assert.deepEqual([kind.scaling?.kind, kind.diagnostics], ["step", []]);
    const target = decode({ "autoscale.max_cpu": "70", "autoscale.policy": "target" }, { step: "2" });
    assert.deepEqual([target.scaling?.kind, target.diagnostics], ["target", []]);
    assert.equal(decode({ "autoscale.max_cpu": "70" }, { step: "2" }).scaling?.kind, "step");
  });

  test("that a service cannot follow are left out, and that is said", () => {
    const decoded = decode(
      { "autoscale.max_cpu": "20" },
      { max_memory: "80", max_rps: "100", max_latency: "250ms", min_cpu: "30" },
    );
    assert.deepEqual(
      decoded.scaling?.rules.map(({ metric, min }) => [metric, min]),
      [["cpu", undefined]],
    );
    assert.deepEqual(
      decoded.diagnostics.map(({ severity, path, message }) => [severity, path, message.split(",")[0]]),
      [
        [
          "warning",
          PATH,
          "the configuration's default for autoscale.min_cpu: left out: is not below autoscale.max_cpu",
        ],
        [
          "warning",
          PATH,
          "the configuration's default for autoscale.max_memory: left out: is a percentage of deploy.resources.limits.memory",
        ],
        [
          "warning",
          PATH,
          "the configuration's default for autoscale.max_rps: left out: needs metrics.port or lb.port beside it: it is read from what the replicas expose themselves",
        ],
        [
          "warning",
          PATH,
          "the configuration's default for autoscale.max_latency: left out: needs metrics.port or lb.port beside it: it is read from what the replicas expose themselves",
        ],
      ],
    );
  });

  test("above the limit of a service are left out; without another rule that is an error", () => {
    const decoded = decode({ "autoscale.min": "2" }, { max_cpu: "150" });
    assert.equal(decoded.scaling, undefined);
    assert.match(said(decoded).join("\n"), /expected a rule to scale by/);
    assert.equal(decode({ "autoscale.min": "2" }, { max_cpu: "150" }, {}).scaling?.rules[0]?.max, 1.5);
  });

  test("that contradict what a service says are named as what they are", () => {
    assert.deepEqual(said(decode({ "autoscale.min_cpu": "80" }, { max_cpu: "70" })), [
      "error autoscale.min_cpu: must be below the configuration's default for autoscale.max_cpu, got 80 % and 70 %",
    ]);
  });

  test("are checked by the readers of the labels, whatever the services are", () => {
    assert.deepEqual(
      checkScalingDefaults({
        max_cpu: "150",
        max_memory: "80",
        max_rps: "100",
        query: "up",
        query_max: "3",
        schedule: "0 8 * * * = 1; 0 8 * * 1 = 2",
        predict: "on",
        policy: "target",
        step: "2",
      }),
      [],
    );
    const problems = checkScalingDefaults({
      max_cpu: "seventy",
      mx: "20",
      "autoscale.max": "20",
      min: "5",
      max: "4",
      window: "1s",
      schedule: "0 0 30 2 * = 1",
    });
    assert.deepEqual(
      problems.map(({ path, message }) => `${path}: ${message}`).toSorted(),
      [
        "autoscale.autoscale.max: is not a label of Flyball",
        'autoscale.max_cpu: expected a percentage, as "70" or "70%", got "seventy"',
        "autoscale.min: must not be above autoscale.max, got min 5 and max 4",
        "autoscale.mx: is not a label of Flyball: did you mean autoscale.max?",
        'autoscale.schedule: "0 0 30 2 *" never comes, got "0 0 30 2 * = 1"',
        'autoscale.window: expected a duration from 2s to 15m, got "1s"',
      ].toSorted(),
    );
  });
});
