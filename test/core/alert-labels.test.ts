import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AlertSignal } from "../../core/alert.ts";
import { readAlerts } from "../../core/alert-expression.ts";
import { decodeLabels } from "../../core/labels.ts";

function read(signal: AlertSignal, text: string) {
  const reading = readAlerts(signal)(text);
  return "value" in reading ? reading.value : reading.refusal;
}

describe("a threshold to be told of", () => {
  test("is a comparison, with how long it must hold, how severe it is, and what silence means", () => {
    assert.deepEqual(read("cpu", "> 90% for 2m"), [
      {
        signal: "cpu",
        comparison: ">",
        threshold: 0.9,
        forMs: 120_000,
        keepFiringForMs: 30_000,
        severity: "warning",
        noData: "keep",
      },
    ]);
    assert.deepEqual(read("rps", "<1 for 10m keep 1m critical no data fires"), [
      {
        signal: "rps",
        comparison: "<",
        threshold: 1,
        forMs: 600_000,
        keepFiringForMs: 60_000,
        severity: "critical",
        noData: "fire",
      },
    ]);
    assert.deepEqual(read("latency", ">= 800ms, for 0s, info, no data resolves"), [
      {
        signal: "latency",
        comparison: ">=",
        threshold: 800,
        forMs: 0,
        keepFiringForMs: 30_000,
        severity: "info",
        noData: "resolve",
      },
    ]);
  });

  test("may be several, one for each severity", () => {
    const both = read("memory", "> 80 for 5m; > 95 % for 1m CRITICAL;");
    assert.deepEqual(
      typeof both === "string" ? both : both.map(({ threshold, severity }) => [threshold, severity]),
      [
        [0.8, "warning"],
        [0.95, "critical"],
      ],
    );
    assert.equal(
      read("cpu", "> 80%; > 90%"),
      "expected one threshold for each severity, got two for warning",
    );
  });

  for (const [signal, text, refusal] of [
    ["cpu", "90%", /^expected a comparison/u],
    ["cpu", "> 90% for ever", /^expected a duration from 0 to 7d/u],
    ["cpu", "> 90% for 8d", /^expected a duration from 0 to 7d/u],
    ["cpu", "> 90% soon", /^expected a comparison/u],
    ["cpu", "> 1", /expected "1%" or "100%"/u],
    ["latency", "> 800", /expected a duration, as "800ms"/u],
    ["replicas", "< -1", /expected a number of at least 0/u],
    ["replicas", "", /^expected a comparison/u],
  ] as const) {
    test(`is refused as ${signal}: "${text}"`, () => {
      const refused = read(signal, text);
      assert.ok(typeof refused === "string", "was read");
      assert.match(refused, refusal);
    });
  }
});

describe("the labels of alerts", () => {
  const decode = (labels: Record<string, string>) => decodeLabels(labels, {}, "services.web.labels");

  test("ask for thresholds, and turn rules off", () => {
    const { alerts, diagnostics } = decode({
      "alert.cpu": "> 90% for 2m",
      "alert.replicas": "< 2",
      "alert.off": "OutOfMemory, ReplicasMissing",
    });
    assert.deepEqual(
      alerts?.requests.map(({ signal }) => signal),
      ["cpu", "replicas"],
    );
    assert.deepEqual(alerts?.off, ["OutOfMemory", "ReplicasMissing"]);
    assert.deepEqual(diagnostics, []);
    assert.equal(decode({}).alerts, undefined);
  });

  test("say what was meant", () => {
    const { diagnostics } = decode({ "alert.cpus": "> 1", "alert.off": "OutOfMemry" });
    assert.deepEqual(
      diagnostics.map(({ path, message }) => `${path}: ${message}`),
      [
        "services.web.labels.alert.cpus: is not a label of Flyball: did you mean alert.cpu?",
        'services.web.labels.alert.off: expected names of rules, as "ReplicasMissing,OutOfMemory" (did you mean OutOfMemory?), got "OutOfMemry"',
      ],
    );
  });
});
