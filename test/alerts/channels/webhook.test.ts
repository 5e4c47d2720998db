import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { describe, type TestContext, test } from "node:test";
import { webhookChannel, webhookPayload } from "../../../alerts/channels/webhook.ts";
import { fingerprintOf } from "../../../alerts/fingerprint.ts";
import { NOW_MS, notification, notified } from "../builders.ts";

const EXTERNAL_URL = "http://host.example:7070";

describe("a webhook", () => {
  test("is Alertmanager's, version 4, field for field and in its order", () => {
    const labels = { alertname: "HighCPU", service: "web", severity: "critical" };
    const said = notification({
      channel: "w",
      groupLabels: { alertname: "HighCPU", service: "web" },
      alerts: [
        notified({
          labels,
          fingerprint: fingerprintOf(labels),
          summary: "cpu 93%",
          advice: "look",
          startsAtMs: Date.parse("2026-11-21T03:02:47.395Z"),
        }),
      ],
    });
    // As a real one was seen to send it, but for the time's digits and a description.
    assert.equal(
      JSON.stringify(webhookPayload(said, "http://host:9093")),
      '{"receiver":"w","status":"firing","alerts":[{"status":"firing","labels":{"alertname":"HighCPU","service":"web",' +
        '"severity":"critical"},"annotations":{"description":"look","summary":"cpu 93%"},"startsAt":"2026-11-21T03:02:47.395Z",' +
        '"endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://host:9093/v1/services/web/explain",' +
        '"fingerprint":"5290d953ed03546d"}],"groupLabels":{"alertname":"HighCPU","service":"web"},"commonLabels":' +
        '{"alertname":"HighCPU","service":"web","severity":"critical"},"commonAnnotations":{"description":"look",' +
        '"summary":"cpu 93%"},"externalURL":"http://host:9093","version":"4",' +
        '"groupKey":"{}:{alertname=\\"HighCPU\\", service=\\"web\\"}","truncatedAlerts":0}',
    );
  });

  test("says when what is over ended, and has in common what all have", () => {
    const over = notified({
      status: "resolved",
      endsAtMs: NOW_MS,
      labels: { alertname: "ServiceDown", service: "b" },
    });
    const { alerts, commonLabels, status } = webhookPayload(
      notification({
        alerts: [notified({ labels: { alertname: "ServiceDown", service: "a" } }), over],
        truncatedAlerts: 7,
      }),
      EXTERNAL_URL,
    );
    assert.deepEqual(
      [status, alerts.map(({ endsAt }) => endsAt), commonLabels],
      ["firing", ["0001-01-01T00:00:00Z", "2026-11-21T12:00:00.000Z"], { alertname: "ServiceDown" }],
    );
  });

  test("is posted with a key that is the same each time, and with the receiver's token", async (t) => {
    const heard: unknown[] = [];
    const address = await receiver(t, async (request, response) => {
      const { authorization, "idempotency-key": key } = request.headers;
      heard.push([request.method, request.url, authorization, key, JSON.parse(await text(request)).version]);
      response.end();
    });
    const channel = channelTo(`${address}/hook?a=b`, "t0ken");
    for (const _ of [1, 2]) await channel.send(notification(), AbortSignal.timeout(5_000));
    assert.deepEqual(heard, [
      ["POST", "/hook?a=b", "Bearer t0ken", "x-1", "4"],
      ["POST", "/hook?a=b", "Bearer t0ken", "x-1", "4"],
    ]);
  });

  test("is taken by a receiver that answers so, with whatever else it answers", async (t) => {
    const address = await receiver(t, (_, response) => {
      response.setHeader("content-encoding", "gzip").write("no end of it");
    });
    await channelTo(address).send(notification(), AbortSignal.timeout(5_000));
  });
});

async function receiver(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function channelTo(url: string, token?: string) {
  const named = { name: "w", url, externalUrl: EXTERNAL_URL, nowMs: () => NOW_MS };
  return webhookChannel(token === undefined ? named : { ...named, token });
}
