import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { Alerts } from "../../alerts/alerts.ts";
import { DeliveryFailed } from "../../alerts/channels/channel.ts";
import { DaemonMetrics } from "../../api/metrics.ts";
import { alertsConfig } from "../../core/alerts-config.ts";
import { createLog } from "../../core/log.ts";
import { Store } from "../../core/store.ts";
import { CPU_REQUEST, facts, NOW_MS, service } from "../alerts/builders.ts";

test("alerts are counted by rule and state, and notifications by what became of them", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "flyball-alert-metrics-"));
  t.after(() => rmSync(directory, { recursive: true }));
  using store = new Store(directory);
  const metrics = new DaemonMetrics({
    services: () => [],
    collector: () => undefined,
    jobs: () => [],
    traffic: () => [],
    holds: () => [],
  });
  const lines = async (pattern: RegExp) =>
    (await metrics.render()).text.split("\n").filter((line) => pattern.test(line));
  assert.deepEqual(await lines(/^flyball_(alert|outbox)/), [], "before there are alerts nothing is told");

  let refusals = 1;
  const channel = {
    ...{ kind: "webhook" as const, name: "mail", paceMs: 0 },
    async send() {
      refusals -= 1;
      if (refusals >= 0) throw new DeliveryFailed("451 try again later");
    },
  };
  const { config } = alertsConfig({ channels: { mail: { kind: "webhook", url: "http://127.0.0.1:1/" } } });
  const clock = { at: NOW_MS, nowMs: () => clock.at, monotonicMs: () => clock.at };
  await using alerts = new Alerts(
    {
      ...{ store, clock, config, log: createLog("silent"), address: "", jitter: () => 0 },
      onNotification: () => {},
    },
    [channel],
  );
  metrics.alerts.readFrom(() => alerts.figures);
  const quiet = await lines(/^flyball_alerts\{/);
  assert.ok(quiet.length > 20 && quiet.every((line) => line.endsWith(" 0")), "every rule is told, at 0");
  assert.deepEqual(await lines(/^flyball_outbox_pending/), ['flyball_outbox_pending{channel="mail"} 0']);

  const hot = service({ requests: [CPU_REQUEST], levels: { cpu: 0.97 } });
  const lookUntil = async (line: string) => {
    while (!(await lines(/^flyball_/)).includes(line)) {
      alerts.look(facts({ services: [hot] }));
      await setImmediate();
    }
  };
  await lookUntil('flyball_alert_attempts_failed_total{channel="mail"} 1');
  assert.deepEqual(await lines(/^flyball_alerts\{.* 1$/), [
    'flyball_alerts{rule="ServiceCpu",severity="critical",state="firing"} 1',
  ]);
  assert.deepEqual(await lines(/^flyball_outbox_pending/), ['flyball_outbox_pending{channel="mail"} 1']);

  clock.at += 60_000;
  await lookUntil('flyball_alert_notifications_total{channel="mail",result="sent"} 1');
  assert.deepEqual(await lines(/^flyball_(outbox_pending|alert_notifications_total)/), [
    'flyball_alert_notifications_total{channel="mail",result="sent"} 1',
    'flyball_alert_notifications_total{channel="mail",result="replaced"} 0',
    'flyball_alert_notifications_total{channel="mail",result="dropped"} 0',
    'flyball_alert_notifications_total{channel="mail",result="dead"} 0',
    'flyball_outbox_pending{channel="mail"} 0',
  ]);
});
