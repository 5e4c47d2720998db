import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { loadConfig } from "../../core/config.ts";
import { isFlyballError } from "../../core/errors.ts";

const directory = mkdtempSync(join(tmpdir(), "flyball-config-"));
after(() => rmSync(directory, { recursive: true, force: true }));

function load(text: string) {
  const path = join(directory, "flyball.yaml");
  writeFileSync(path, text);
  return loadConfig({}, {}, path);
}

describe("the settings of the collector's metrics", () => {
  test("name where they are offered; a port alone means every address, as it does for every exporter", () => {
    assert.equal(load("").metricsListen, undefined);
    assert.deepEqual(load("metricsListen: :9417").metricsListen, { host: "0.0.0.0", port: 9417 });
    assert.deepEqual(load('metricsListen: "[::1]:9417"').metricsListen, { host: "::1", port: 9417 });
    assert.deepEqual(loadConfig({}, { FLYBALL_METRICS_LISTEN: "10.0.0.1:80" }).metricsListen, {
      host: "10.0.0.1",
      port: 80,
    });
  });

  test("give containers' labels a name of their own, or show them as they are", () => {
    const { metricsLabels, metricsContainerLabels } = load(
      "metricsLabels: { com.example.team: team }\nmetricsContainerLabels: [com.example.tier]",
    );
    assert.deepEqual(metricsLabels, { "com.example.team": "team" });
    assert.deepEqual(metricsContainerLabels, ["com.example.tier"]);
  });

  test("are refused when they cannot be used", () => {
    const wrong: readonly (readonly [string, RegExp])[] = [
      ["metricsListen: '9417'", /metricsListen expected host:port/u],
      ["metricsListen: :99999", /metricsListen expected host:port/u],
      [
        "metricsLabels: { com.example.team: my-team }",
        /metricsLabels.com.example.team expected a Prometheus label/u,
      ],
      ["metricsLabels: { com.example.team: __name__ }", /expected a Prometheus label name/u],
      ["metricsContainerLabels: com.example.tier", /metricsContainerLabels/u],
    ];
    for (const [text, expected] of wrong) {
      assert.throws(
        () => load(text),
        (error) =>
          isFlyballError(error) &&
          expected.test(error.problems.map(({ at, message }) => `${at} ${message}`).join("\n")),
        text,
      );
    }
  });
});
