import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LABELS } from "../../core/labels.ts";
import type { Resources } from "../../core/types.ts";
import { decode, PATH, said } from "./decode-labels.ts";

describe("a service's labels", () => {
  test("two of them make a policy, the rest has its defaults", () => {
    const decoded = decode({ "autoscale.max_cpu": "70", "autoscale.step": "2" });
    assert.deepEqual(decoded, {
      scaling: {
        rules: [{ metric: "cpu", max: 0.7, capacity: 1 }],
        kind: "step",
        minReplicas: 1,
        maxReplicas: 10,
        step: 2,
        windowMs: 10_000,
        cooldownMs: 15_000,
        schedule: [],
        predict: false,
        dryRun: false,
      },
      businessLabels: {},
      diagnostics: [],
    });
  });

  test("all of them together are read", () => {
    const decoded = decode(
      {
        "autoscale.max_cpu": "70",
        "autoscale.min_cpu": "20",
        "autoscale.max_memory": "80%",
        "autoscale.min_memory": "0.3",
        "autoscale.step": "2",
        "autoscale.min": "2",
        "autoscale.max": "20",
        "autoscale.window": "30s",
        "autoscale.cooldown": "0",
        "autoscale.stabilization": "2m",
        "autoscale.dry_run": "on",
        "probe.http": ":8080/healthz",
        "business.team": "checkout",
      },
      { limitCores: 0.5, limitMemoryBytes: 1_000 },
    );
    assert.deepEqual(decoded, {
      scaling: {
        rules: [
          { metric: "cpu", max: 0.7, min: 0.2, capacity: 0.5, enforced: true },
          { metric: "memory", max: 0.8, min: 0.3, capacity: 1_000, enforced: true },
        ],
        kind: "step",
        minReplicas: 2,
        maxReplicas: 20,
        step: 2,
        windowMs: 30_000,
        cooldownMs: 0,
        stabilizationMs: 120_000,
        schedule: [],
        predict: false,
        dryRun: true,
      },
      probe: { kind: "http", port: 8080, path: "/healthz" },
      businessLabels: { team: "checkout" },
      diagnostics: [],
    });
  });

  test("none of Flyball's means no policy and no word", () => {
    assert.deepEqual(decode({ maintainer: "someone" }), { businessLabels: {}, diagnostics: [] });
  });

  test("the defaults that the reference prints are those that are used", () => {
    // With steps: without them there is no cooldown, and how long calm must last is learned where nobody says it.
    const bySteps = { "autoscale.max_cpu": "70", [LABELS.step.key]: LABELS.step.defaultText };
    const named = decode({
      ...bySteps,
      ...Object.fromEntries(
        [LABELS.min, LABELS.max, LABELS.window, LABELS.predict, LABELS.dryRun].map(({ key, defaultText }) => [
          key,
          defaultText,
        ]),
      ),
    });
    assert.deepEqual(named.scaling, decode(bySteps).scaling);
    assert.match(LABELS.cooldown.defaultText, /^`15s`;/);
    assert.equal(named.scaling?.cooldownMs, 15_000);
    assert.ok(named.scaling !== undefined);
  });

  test("follow a target unless they name a step, without a cooldown between its changes", () => {
    const { scaling } = decode({ "autoscale.max_cpu": "70" });
    assert.deepEqual(
      [scaling?.kind, scaling?.cooldownMs, scaling?.stabilizationMs],
      ["target", 0, undefined],
    );
    const cooled = decode({ "autoscale.max_cpu": "70", "autoscale.cooldown": "20s" }).scaling;
    assert.deepEqual([cooled?.kind, cooled?.cooldownMs], ["target", 20_000]);
    const theirs = decode({ "aliyun.auto_scaling.max_cpu": "70", "aliyun.auto_scaling.step": "1" }).scaling;
    assert.deepEqual([theirs?.kind, theirs?.cooldownMs], ["step", 15_000]);
  });

  for (const { key, example, read } of Object.values(LABELS)) {
    test(`the reference's example of ${key} can be read`, () => assert.ok("value" in read(example)));
  }

  test("a lower bound above the default upper one raises that", () => {
    const { scaling } = decode({ "autoscale.max_cpu": "70", "autoscale.min": "15" });
    assert.deepEqual([scaling?.minReplicas, scaling?.maxReplicas], [15, 15]);
  });
});

describe("what 100 % is", () => {
  const cpuCapacity = (resources: Resources) =>
    decode({ "autoscale.max_cpu": "70" }, resources).scaling?.rules[0]?.capacity;

  test("of CPU: the limit, else the reservation, else one core", () => {
    assert.equal(cpuCapacity({ limitCores: 2, reservedCores: 0.5 }), 2);
    assert.equal(cpuCapacity({ reservedCores: 0.5 }), 0.5);
    assert.equal(cpuCapacity({}), 1);
  });

  test("of memory: the limit, else the reservation, else an error", () => {
    const labels = { "autoscale.max_memory": "80" };
    assert.equal(decode(labels, { reservedMemoryBytes: 5 }).scaling?.rules[0]?.capacity, 5);
    const without = decode(labels);
    assert.equal(without.scaling, undefined);
    assert.deepEqual(said(without), [
      "error autoscale.max_memory: is a percentage of deploy.resources.limits.memory, and there is no such limit",
    ]);
  });

  test("cannot be passed where the engine enforces it, so a threshold there is refused", () => {
    const decoded = decode({ "autoscale.max_cpu": "110" }, { limitCores: 1 });
    assert.equal(decoded.scaling, undefined);
    assert.deepEqual(said(decoded), [
      "error autoscale.max_cpu: expected less than 100 % of the limit, which use cannot pass, got 110 %",
    ]);
    assert.equal(decode({ "autoscale.max_cpu": "100" }, { limitCores: 1 }).scaling, undefined);
    assert.ok(decode({ "autoscale.max_cpu": "99" }, { limitCores: 1 }).scaling !== undefined);
  });

  test("may be passed where nothing is enforced", () => {
    assert.equal(decode({ "autoscale.max_cpu": "150" }, { reservedCores: 1 }).scaling?.rules[0]?.max, 1.5);
  });
});

describe("another platform's spelling", () => {
  const ours = { max_cpu: "70", min_cpu: "30", max_memory: "80", min_memory: "30", step: "2" };
  const resources = { limitMemoryBytes: 100 };

  test("means the same as ours, for every one of them", () => {
    const written = Object.entries(ours);
    const theirs = decode(
      {
        ...Object.fromEntries(written.map(([name, value]) => [`aliyun.auto_scaling.${name}`, value])),
        "aliyun.auto_scaling.min_instances": "3",
        "aliyun.auto_scaling.max_instances": "9",
      },
      resources,
    );
    const own = decode(
      {
        ...Object.fromEntries(written.map(([name, value]) => [`autoscale.${name}`, value])),
        "autoscale.min": "3",
        "autoscale.max": "9",
      },
      resources,
    );
    assert.ok(own.scaling !== undefined);
    assert.deepEqual(theirs.scaling, own.scaling);
  });

  test("beside ours with the same value is no contradiction, however it is written", () => {
    const decoded = decode({ "autoscale.max_cpu": "70", "aliyun.auto_scaling.max_cpu": "70%" });
    assert.equal(decoded.scaling?.rules[0]?.max, 0.7);
    assert.deepEqual(said(decoded), []);
  });

  test("beside ours with another value is refused with both names", () => {
    const decoded = decode({ "autoscale.max_cpu": "70", "aliyun.auto_scaling.max_cpu": "80" });
    assert.equal(decoded.scaling, undefined);
    assert.deepEqual(said(decoded), [
      "error autoscale.max_cpu: contradicts aliyun.auto_scaling.max_cpu: keep one",
    ]);
  });

  test("beside ours is read even where ours is fine", () => {
    const decoded = decode({ "autoscale.max_cpu": "70", "aliyun.auto_scaling.max_cpu": "lots" });
    assert.equal(decoded.scaling, undefined);
    assert.match(
      said(decoded).join("\n"),
      /error aliyun\.auto_scaling\.max_cpu: expected a percentage.*got "lots"/,
    );
  });

  test("is named where a problem stands under it", () => {
    const bounds = decode({
      "aliyun.auto_scaling.max_cpu": "70",
      "aliyun.auto_scaling.min_instances": "9",
      "aliyun.auto_scaling.max_instances": "3",
    });
    assert.deepEqual(said(bounds), [
      "error aliyun.auto_scaling.min_instances: must not be above aliyun.auto_scaling.max_instances, got min 9 and max 3",
    ]);
    const thresholds = decode({ "aliyun.auto_scaling.max_cpu": "30", "aliyun.auto_scaling.min_cpu": "70" });
    assert.deepEqual(said(thresholds), [
      "error aliyun.auto_scaling.min_cpu: must be below aliyun.auto_scaling.max_cpu, got 70 % and 30 %",
    ]);
    const noLimit = decode({ "aliyun.auto_scaling.max_memory": "80" });
    assert.match(said(noLimit)[0] ?? "", /^error aliyun\.auto_scaling\.max_memory: is a percentage of/);
  });

  test("that Flyball does not act on is warned about, and the rest goes on", () => {
    const decoded = decode({
      "autoscale.max_cpu": "70",
      "aliyun.gpu": "1",
      "aliyun.vip.port_80": "10.0.0.1",
    });
    assert.ok(decoded.scaling !== undefined);
    assert.deepEqual(said(decoded), [
      "warning aliyun.gpu: is not acted on by this version of Flyball",
      "warning aliyun.vip.port_80: is not acted on by this version of Flyball",
    ]);
  });

  test("with a slip in its prefix names the one that was meant", () => {
    assert.deepEqual(said(decode({ "aliyun.autoscaling.max_cpu": "70" })), [
      "warning aliyun.autoscaling.max_cpu: is not acted on by this version of Flyball: did you mean aliyun.auto_scaling.max_cpu?",
    ]);
  });
});

describe("a label that cannot be used", () => {
  const refused: [string, Record<string, string>, string][] = [
    [
      "a percentage in words",
      { "autoscale.max_cpu": "seventy" },
      'error autoscale.max_cpu: expected a percentage, as "70" or "70%", got "seventy"',
    ],
    [
      "an empty value",
      { "autoscale.max_cpu": "" },
      'error autoscale.max_cpu: expected a percentage, as "70" or "70%", got ""',
    ],
    [
      "a step of 0",
      { "autoscale.max_cpu": "70", "autoscale.step": "0" },
      'error autoscale.step: expected a whole number of at least 1, got "0"',
    ],
    [
      "min above max",
      { "autoscale.max_cpu": "70", "autoscale.min": "5", "autoscale.max": "3" },
      "error autoscale.min: must not be above autoscale.max, got min 5 and max 3",
    ],
    [
      "a lower threshold that is not below the upper one",
      { "autoscale.max_cpu": "29", "autoscale.min_cpu": "57" },
      "error autoscale.min_cpu: must be below autoscale.max_cpu, got 57 % and 29 %",
    ],
    [
      "a lower threshold equal to the upper one",
      { "autoscale.max_cpu": "70", "autoscale.min_cpu": "70%" },
      "error autoscale.min_cpu: must be below autoscale.max_cpu, got 70 % and 70 %",
    ],
    [
      "a duration without a unit",
      { "autoscale.max_cpu": "70", "autoscale.cooldown": "30" },
      'error autoscale.cooldown: expected a duration, as "15s" or "5m", got "30"',
    ],
    [
      "settings without a rule",
      { "autoscale.step": "2" },
      `error ${PATH}: expected a rule to scale by, as autoscale.max_cpu: "70"; got none`,
    ],
    [
      "both kinds of probe",
      { "probe.http": "/", "probe.tcp": ":80" },
      "error probe.tcp: excludes probe.http: keep one",
    ],
  ];
  for (const [story, labels, problem] of refused) {
    test(`${story} is refused with the reason`, () => {
      const decoded = decode(labels);
      assert.equal(decoded.scaling, undefined);
      assert.deepEqual(said(decoded), [problem]);
    });
  }

  test("a lower threshold alone needs the upper one", () => {
    const decoded = decode({ "autoscale.min_cpu": "30" });
    assert.equal(decoded.scaling, undefined);
    assert.ok(said(decoded).includes("error autoscale.min_cpu: needs autoscale.max_cpu beside it"));
  });

  test("every problem is reported, not only the first", () => {
    const decoded = decode({
      "autoscale.max_cpu": "seventy",
      "autoscale.step": "0",
      "autoscale.window": "1s",
      "business.my-team": "x",
      "autoscale.maximum": "3",
    });
    assert.equal(decoded.diagnostics.filter(({ severity }) => severity === "error").length, 5);
  });
});

describe("business labels", () => {
  test("become Prometheus labels with their values untouched", () => {
    const decoded = decode({
      "business.team": " checkout ",
      "business.cost_center": "42",
      "business._x": "",
    });
    assert.deepEqual(decoded.businessLabels, { team: " checkout ", cost_center: "42", _x: "" });
    assert.deepEqual(said(decoded), []);
  });

  for (const name of ["", "my-team", "1st", "__reserved", "__proto__", "a.b", "größe"]) {
    test(`named "${name}" are refused, as Prometheus would`, () => {
      const decoded = decode({ [`business.${name}`]: "x" });
      assert.deepEqual(decoded.businessLabels, {});
      assert.match(said(decoded).join("\n"), /^error business\..*expected a Prometheus label name/);
    });
  }
});
