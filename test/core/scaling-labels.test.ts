import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type DecodedLabels, decodeLabels, type LabelSettings } from "../../core/labels.ts";
import type { Resources } from "../../core/types.ts";
import { decode, PATH, said } from "./decode-labels.ts";

const withMetrics = { "metrics.port": "9100" };

function configured(
  labels: Record<string, string>,
  settings: LabelSettings,
  resources: Resources = {},
): DecodedLabels {
  return decodeLabels(labels, resources, PATH, settings);
}

describe("rules on requests and latency", () => {
  test("are read in requests per second of one replica, and in milliseconds", () => {
    const { scaling } = decode({
      ...withMetrics,
      "autoscale.max_rps": "150.5",
      "autoscale.min_rps": "60",
      "autoscale.max_latency": "250ms",
    });
    assert.deepEqual(scaling?.rules, [
      { metric: "rps", max: 150.5, min: 60 },
      { metric: "latency", max: 250 },
    ]);
  });

  test("need metrics of the service's own, and say what to add", () => {
    const without = decode({ "autoscale.max_rps": "150", "autoscale.max_latency": "1s" });
    assert.equal(without.scaling, undefined);
    assert.deepEqual(said(without), [
      "error autoscale.max_rps: needs metrics.port or lb.port beside it: it is read from what the replicas expose themselves, or from the balancer",
      "error autoscale.max_latency: needs metrics.port or lb.port beside it: it is read from what the replicas expose themselves, or from the balancer",
    ]);
  });

  const refused: [string, string, string][] = [
    ["autoscale.max_rps", "0", 'expected a number above 0, got "0"'],
    ["autoscale.max_rps", "many", 'expected a number, as "100" or "0.5", got "many"'],
    ["autoscale.max_rps", "1e999", 'expected a number, as "100" or "0.5", got "1e999"'],
    ["autoscale.max_rps", "0x10", 'expected a number, as "100" or "0.5", got "0x10"'],
    ["autoscale.max_latency", "250", 'expected a duration, as "15s" or "5m", got "250"'],
    ["autoscale.max_latency", "0", 'expected a duration from 1ms to 1h, got "0"'],
  ];
  for (const [key, text, why] of refused) {
    test(`are refused as ${key}: ${text}`, () => {
      assert.deepEqual(said(decode({ ...withMetrics, [key]: text })), [`error ${key}: ${why}`]);
    });
  }

  test("have their lower threshold below the upper one, and never alone", () => {
    assert.deepEqual(
      said(decode({ ...withMetrics, "autoscale.max_rps": "100", "autoscale.min_rps": "100" })),
      ["error autoscale.min_rps: must be below autoscale.max_rps, got 100/s and 100/s"],
    );
    assert.deepEqual(
      said(decode({ ...withMetrics, "autoscale.max_cpu": "70", "autoscale.min_rps": "100" })),
      ["error autoscale.min_rps: needs autoscale.max_rps beside it"],
    );
  });
});

describe("a rule on a query", () => {
  const query = { "autoscale.query": " sum(waiting) / count(up) ", "autoscale.query_max": "10" };

  test("has an expression and thresholds in whatever it gives", () => {
    assert.deepEqual(decode({ ...query, "autoscale.query_min": "-2.5e0" }).scaling?.rules, [
      { metric: "query", max: 10, min: -2.5, expression: "sum(waiting) / count(up)" },
    ]);
    assert.deepEqual(configured(query, { hasPrometheus: true }).diagnostics, []);
  });

  test("where no Prometheus is configured is kept, and warned about", () => {
    const decoded = configured(query, { hasPrometheus: false });
    assert.equal(decoded.scaling?.rules.length, 1);
    assert.deepEqual(said(decoded), [
      "warning autoscale.query: cannot be asked: the configuration names no prometheus, so this rule knows nothing, and nothing scales in",
    ]);
  });

  const refused: [Record<string, string>, string[]][] = [
    [{ "autoscale.query": "up" }, ["error autoscale.query: needs autoscale.query_max beside it"]],
    [{ ...query, "autoscale.query": " " }, ['error autoscale.query: expected a PromQL expression, got " "']],
    [
      { ...query, "autoscale.query_max": "0" },
      ['error autoscale.query_max: expected a number above 0, got "0"'],
    ],
    [
      { ...query, "autoscale.query_min": "10" },
      ["error autoscale.query_min: must be below autoscale.query_max, got 10 and 10"],
    ],
    [
      { ...query, "autoscale.query_min": "NaN" },
      ['error autoscale.query_min: expected a number, as "100" or "0.5", got "NaN"'],
    ],
    [
      { "autoscale.max_cpu": "70", "autoscale.query_max": "10", "autoscale.query_min": "no" },
      [
        "error autoscale.query_max: needs autoscale.query beside it",
        'error autoscale.query_min: expected a number, as "100" or "0.5", got "no"',
        "error autoscale.query_min: needs autoscale.query beside it",
      ],
    ],
  ];
  for (const [labels, problems] of refused) {
    test(`is refused as ${JSON.stringify(labels)}`, () => {
      const decoded = decode(labels);
      assert.equal(decoded.scaling, undefined);
      assert.deepEqual(said(decoded), problems);
    });
  }

  test("of unreasonable length is refused without being repeated whole", () => {
    const [problem = ""] = said(decode({ ...query, "autoscale.query": "x".repeat(100_000) }));
    assert.match(problem, /expected a PromQL expression of at most 8000 characters, got "x+…"$/);
    assert.ok(problem.length < 400);
  });
});

describe("the policy", () => {
  const kindOf = (labels: Record<string, string>) =>
    decode({ "autoscale.max_cpu": "70", ...labels }).scaling?.kind;

  test("is to follow a target, unless steps are named, or it is said", () => {
    assert.equal(kindOf({}), "target");
    assert.equal(kindOf({ "autoscale.step": "1" }), "step");
    assert.equal(kindOf({ "aliyun.auto_scaling.step": "1" }), "step");
    assert.equal(kindOf({ "autoscale.policy": "step" }), "step");
    assert.equal(kindOf({ "autoscale.policy": " Target " }), "target");
  });

  test("that follows a target has no use for a step, and says so", () => {
    const decoded = decode({
      "autoscale.max_cpu": "70",
      "autoscale.policy": "target",
      "autoscale.step": "3",
    });
    assert.equal(decoded.scaling?.kind, "target");
    assert.deepEqual(said(decoded), ["warning autoscale.step: is not used by autoscale.policy: target"]);
  });

  test("of another name is refused", () => {
    assert.deepEqual(said(decode({ "autoscale.max_cpu": "70", "autoscale.policy": "pid" })), [
      'error autoscale.policy: expected "step" or "target", got "pid"',
    ]);
  });
});

describe("what else a service may say of its scaling", () => {
  test("is a schedule, a forecast and a budget of scale-ins", () => {
    const { scaling } = decode({
      "autoscale.max_cpu": "70",
      "autoscale.schedule": "0 8 * * 1-5 Europe/Berlin = 4..20",
      "autoscale.predict": "on",
      "autoscale.scale_ins_per_hour": "4",
    });
    assert.deepEqual(scaling?.schedule, [
      { cron: "0 8 * * 1-5", timeZone: "Europe/Berlin", minReplicas: 4, maxReplicas: 20 },
    ]);
    assert.deepEqual([scaling?.predict, scaling?.scaleInsPerHour], [true, 4]);
    const { scaling: plain } = decode({ "autoscale.max_cpu": "70" });
    assert.deepEqual([plain?.schedule, plain?.predict], [[], false]);
    assert.ok(plain !== undefined && !("scaleInsPerHour" in plain) && !("stabilizationMs" in plain));
  });

  test("is refused where it cannot be read, all of it at once", () => {
    assert.deepEqual(
      said(
        decode({
          "autoscale.max_cpu": "70",
          "autoscale.schedule": "0 8 * * * Mars/Base = 9..3",
          "autoscale.predict": "maybe",
          "autoscale.scale_ins_per_hour": "0.5",
        }),
      ).toSorted(),
      [
        'error autoscale.predict: expected "on" or "off", got "maybe"',
        'error autoscale.scale_ins_per_hour: expected a whole number of at least 1, got "0.5"',
        'error autoscale.schedule: expected an IANA time zone, as Europe/Berlin, not "Mars/Base", got "0 8 * * * Mars/Base = 9..3"',
      ],
    );
  });

  test("is warned about where two entries of a schedule name the same minute", () => {
    const decoded = decode({
      "autoscale.max_cpu": "70",
      "autoscale.schedule": "0 8 * * * = 4..20; 0 8 * * 1 = 1..6",
    });
    assert.ok(decoded.scaling !== undefined);
    assert.match(
      said(decoded).join(),
      /^warning autoscale\.schedule: .* the later in the text wins, 1\.\.6$/,
    );
  });

  test("is no rule to scale by", () => {
    for (const label of ["schedule", "predict", "scale_ins_per_hour", "policy"]) {
      const text = { schedule: "0 8 * * * = 1", policy: "step" }[label] ?? "1";
      const decoded = decode({ [`autoscale.${label}`]: text });
      assert.equal(decoded.scaling, undefined);
      assert.match(said(decoded).join(), /expected a rule to scale by/);
    }
  });
});

describe("what becomes of counts that others change", () => {
  test("is one of three words, or the service's own default of going on from theirs", () => {
    const policy = (word: string) =>
      decode({ "autoscale.max_cpu": "70", "autoscale.on_external_change": word }).scaling?.onExternalChange;
    for (const word of ["adopt", "restore", "hold"]) assert.equal(policy(word), word);
    assert.equal(decode({ "autoscale.max_cpu": "70" }).scaling?.onExternalChange, undefined);
    const wrong = decode({ "autoscale.max_cpu": "70", "autoscale.on_external_change": "ignore" });
    assert.equal(wrong.scaling, undefined);
    assert.match(said(wrong).join(), /^error autoscale\.on_external_change: expected .*adopt.*restore.*hold/);
  });
});

describe("a service that may have no replica", () => {
  const withTraffic = { "autoscale.max_cpu": "70", "lb.port": "80", "lb.domain": "shop.example" };

  test("has none after ten minutes without use, or as many as it says", () => {
    assert.equal(decode({ ...withTraffic, "autoscale.min": "0" }).scaling?.idleMs, 600_000);
    const other = decode({ ...withTraffic, "autoscale.min": "0", "autoscale.idle": "30m" }).scaling;
    assert.deepEqual([other?.minReplicas, other?.idleMs], [0, 1_800_000]);
  });

  test("always has one where nothing asks for none", () => {
    const decoded = decode({ ...withTraffic, "autoscale.idle": "30m" });
    assert.equal(decoded.scaling?.idleMs, undefined);
    assert.deepEqual(said(decoded), ['warning autoscale.idle: is not used without autoscale.min: "0"']);
  });

  test("needs something that wakes it: the balancer, or a query", () => {
    assert.deepEqual(said(decode({ "autoscale.max_cpu": "70", "autoscale.min": "0" })), [
      "error autoscale.min: cannot be 0 without lb.port or autoscale.query beside it: nothing would wake the service again",
    ]);
    const byQuery = decode({
      "autoscale.query": "sum(jobs_waiting)",
      "autoscale.query_max": "10",
      "autoscale.min": "0",
    });
    assert.equal(byQuery.scaling?.minReplicas, 0);
  });
});
