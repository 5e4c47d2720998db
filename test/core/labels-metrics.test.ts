import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decodeLabels } from "../../core/labels.ts";
import { decodeMetricsLabels } from "../../core/metrics-labels.ts";

const decode = (labels: Record<string, string>) => decodeLabels(labels, {}, "services.web.labels");
const messages = (labels: Record<string, string>) =>
  decode(labels).diagnostics.map(({ path, severity, message }) => `${severity} ${path} ${message}`);

describe("the labels of a service's own metrics", () => {
  test("name a port, and a path that is /metrics unless it is said", () => {
    assert.deepEqual(decode({ "metrics.port": "9100" }).metrics, { port: 9100, path: "/metrics" });
    assert.deepEqual(decode({ "metrics.port": " 80 ", "metrics.path": "/m?format=text" }).metrics, {
      port: 80,
      path: "/m?format=text",
    });
    assert.equal(decode({}).metrics, undefined);
  });

  test("are refused when they cannot be understood, and nothing is scraped then", () => {
    for (const port of ["0", "65536", "http", "-1", "80.5", ""]) {
      const { metrics, diagnostics } = decode({ "metrics.port": port });
      assert.equal(metrics, undefined);
      assert.match(diagnostics[0]?.message ?? "", /^expected a port, as "9100", got /u);
    }
    for (const path of ["metrics", "/a b", "/a#b", "/ü", "http://x/metrics"]) {
      assert.match(messages({ "metrics.port": "80", "metrics.path": path })[0] ?? "", /expected a path/u);
    }
  });

  test("need the port, which a path alone does not say", () => {
    assert.deepEqual(messages({ "metrics.path": "/m" }), [
      "error services.web.labels.metrics.path needs metrics.port beside it",
    ]);
  });

  test("with a slip are pointed out, and another tool's labels of that prefix are left alone", () => {
    assert.deepEqual(messages({ "metrics.prot": "80" }), [
      "warning services.web.labels.metrics.prot is not a label of Flyball: did you mean metrics.port?",
    ]);
    assert.deepEqual(messages({ "metrics.exporter.enabled": "yes" }), []);
  });

  test("are read the same from a container, whatever its other labels are worth", () => {
    const labels = { "metrics.port": "9100", "autoscale.max_cpu": "a lot" };
    assert.deepEqual(decodeMetricsLabels(labels, "labels"), {
      metrics: { port: 9100, path: "/metrics" },
      diagnostics: [],
    });
  });
});
