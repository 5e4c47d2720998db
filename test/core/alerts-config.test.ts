import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { loadConfig } from "../../core/config.ts";
import { FlyballError } from "../../core/errors.ts";

const root = mkdtempSync(join(tmpdir(), "flyball-alerts-config-"));
after(() => rmSync(root, { recursive: true, force: true }));

function load(yaml: string) {
  const path = join(root, "flyball.yaml");
  writeFileSync(path, `alerts:\n${yaml.replace(/^/gmu, "  ")}\n`);
  return loadConfig({}, {}, path).alerts ?? assert.fail("no alerts");
}

/** `path: message` for each problem. */
function problemsOf(yaml: string): string[] {
  try {
    load(yaml);
  } catch (error) {
    assert.ok(error instanceof FlyballError && error.code === "CONFIG_INVALID", `${error}`);
    return error.problems.map(({ at, message }) => `${at.replace(/^\S+ /u, "")}: ${message}`);
  }
  return assert.fail("can be used");
}

describe("the configuration of alerts", () => {
  test("has defaults for all that it does not say", () => {
    assert.deepEqual(load("externalUrl: https://flyball.example/ops/"), {
      externalUrl: "https://flyball.example/ops",
      groupBy: ["alertname", "project"],
      groupIntervalMs: 30_000,
      repeatIntervalMs: 14_400_000,
      services: [],
      rules: {},
      channels: [],
    });
  });

  test("names channels, rules that are otherwise, and thresholds for all services", () => {
    const { channels, rules, services, groupIntervalMs } = load(`
groupInterval: 1m
services: { cpu: "> 95% for 5m" }
rules:
  RolloutSlow: off
  OutOfMemory: false
  ServiceAtMaximum: { severity: critical, for: 10m, keep: 1m, noData: fires }
channels:
  ops: { kind: email, host: mail.example.org, from: "Flyball <flyball@example.org>", to: ops@example.org, match: ["severity!=info"] }
  chat: { kind: slack, urlFile: /run/secrets/slack }
  pager: { kind: webhook, url: "https://pager.example/hook", token: t0ken }`);
    assert.equal(groupIntervalMs, 60_000);
    assert.deepEqual(rules, {
      RolloutSlow: "off",
      OutOfMemory: "off",
      ServiceAtMaximum: { severity: "critical", forMs: 600_000, keepFiringForMs: 60_000, noData: "fire" },
    });
    assert.deepEqual(
      services.map(({ signal, threshold, forMs }) => [signal, threshold, forMs]),
      [["cpu", 0.95, 300_000]],
    );
    assert.deepEqual(channels, [
      {
        name: "ops",
        kind: "email",
        host: "mail.example.org",
        from: "Flyball <flyball@example.org>",
        to: ["ops@example.org"],
        matchers: [{ name: "severity", value: "info", isEqual: false, isRegex: false }],
      },
      { name: "chat", kind: "slack", urlFile: "/run/secrets/slack", matchers: [] },
      { name: "pager", kind: "webhook", url: "https://pager.example/hook", token: "t0ken", matchers: [] },
    ]);
  });

  test("is refused as a whole, with every problem and what was meant", () => {
    assert.deepEqual(problemsOf("groupIntervall: 1m"), [
      "alerts.groupIntervall: is not a setting: did you mean groupInterval?",
    ]);
    assert.deepEqual(problemsOf('rules: { ServiceDwn: off }\nservices: { cpu: "lots", disk: "> 1" }'), [
      'alerts.services.cpu: expected a comparison, perhaps with "for", "keep", a severity and "no data fires", as "> 90% for 2m", got "lots"',
      'alerts.services.disk: expected one of cpu, memory, rps, latency, replicas, got "> 1"',
      "alerts.rules.ServiceDwn: is not a rule: did you mean ServiceDown?",
    ]);
    assert.deepEqual(problemsOf("groupInterval: soon"), [
      'alerts.groupInterval: expected a duration of a week at most, as "30s" or "4h"',
    ]);
    assert.deepEqual(
      problemsOf('channels: { pager: { kind: webhook, url: "https://a.example", urlFile: /x } }'),
      ["alerts.channels.pager: expected url or urlFile, and one of them only"],
    );
    assert.deepEqual(problemsOf("channels: { pager: { kind: pigeon } }"), [
      'alerts.channels.pager.kind: expected a channel of kind "email", "slack" or "webhook"',
    ]);
    assert.deepEqual(problemsOf('channels: { websocket: { kind: slack, url: "https://a.example" } }'), [
      "alerts.channels: expected another name: websocket is the stream's own",
    ]);
  });

  test("does not let an address bring a header or a second recipient with it", () => {
    for (const from of [
      "a@example.org, b@example.org",
      "a@example.org\\r\\nBcc: b@example.org",
      "nobody",
      "<a@b> <c@d>",
    ]) {
      const yaml = `channels: { ops: { kind: email, host: h, from: "${from}", to: ops@example.org } }`;
      assert.deepEqual(
        problemsOf(yaml),
        ['alerts.channels.ops.from: expected an address, as "Ops <ops@example.org>"'],
        from,
      );
    }
  });

  test("never shows a secret that cannot be used", () => {
    const url = "ftp://hooks.example/S3CRET";
    for (const kind of ["slack", "webhook"]) {
      const text = problemsOf(`channels: { chat: { kind: ${kind}, url: "${url}" } }`).join();
      assert.match(text, /alerts\.channels\.chat\.url: expected an http or https URL/u);
      assert.doesNotMatch(text, /S3CRET/u);
    }
  });
});
