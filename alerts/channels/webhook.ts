import type { Notification, NotifiedAlert } from "../../core/alert.ts";
import type { Channel } from "./channel.ts";
import { postJson } from "./post-json.ts";

export interface WebhookOptions {
  readonly name: string;
  readonly url: string;
  /** Of a receiver that wants a bearer token. */
  readonly token?: string;
  /** Where Flyball is reached, for links. */
  readonly externalUrl: string;
  readonly nowMs: () => number;
}

/** Any receiver of Alertmanager's webhooks: payload version 4. */
export function webhookChannel({ name, url, token, externalUrl, nowMs }: WebhookOptions): Channel {
  return {
    name,
    kind: "webhook",
    paceMs: 0,
    send: (notification, signal) =>
      postJson(url, webhookPayload(notification, externalUrl), {
        headers: {
          "idempotency-key": notification.id,
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        signal,
        nowMs,
      }),
  };
}

/** What Go writes for a time that is none. */
const NO_TIME = "0001-01-01T00:00:00Z";

/** https://prometheus.io/docs/alerting/latest/configuration/#webhook_config */
export function webhookPayload(notification: Notification, externalUrl: string) {
  const { channel, status, alerts, groupLabels, truncatedAlerts } = notification;
  return {
    receiver: channel,
    status,
    alerts: alerts.map((alert) => webhookAlert(alert, externalUrl)),
    groupLabels,
    commonLabels: common(alerts.map(({ labels }) => labels)),
    commonAnnotations: common(alerts.map(annotationsOf)),
    externalURL: externalUrl,
    version: "4",
    groupKey: groupKeyOf(groupLabels),
    truncatedAlerts,
  };
}

function webhookAlert(alert: NotifiedAlert, externalUrl: string) {
  const { status, labels, startsAtMs, endsAtMs, fingerprint } = alert;
  return {
    status,
    labels: sorted(labels),
    annotations: annotationsOf(alert),
    startsAt: new Date(startsAtMs).toISOString(),
    endsAt: endsAtMs === undefined ? NO_TIME : new Date(endsAtMs).toISOString(),
    generatorURL: linkOf(labels, externalUrl),
    fingerprint,
  };
}

function annotationsOf({ summary, advice }: NotifiedAlert): Record<string, string> {
  return { description: advice, summary };
}

function linkOf({ service }: Readonly<Record<string, string>>, externalUrl: string): string {
  return service === undefined
    ? `${externalUrl}/v1/alerts`
    : `${externalUrl}/v1/services/${encodeURIComponent(service)}/explain`;
}

/** Those that all of them have with the same value. */
function common(all: readonly Readonly<Record<string, string>>[]): Record<string, string> {
  const [first = {}, ...others] = all;
  return sorted(
    Object.fromEntries(
      Object.entries(first).filter(([name, value]) => others.every((one) => one[name] === value)),
    ),
  );
}

function groupKeyOf(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `{}:{${pairs.join(", ")}}`;
}

function sorted(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}
