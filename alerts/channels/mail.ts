import type { SendMailOptions } from "nodemailer";
import type { AlertChart, Notification } from "../../core/alert.ts";
import { formatBytes, formatDuration, formatPercent } from "../../core/units.ts";
import { CHART_HEIGHT, CHART_WIDTH, drawChart } from "../chart/draw.ts";
import { formatInstant, type Message, messageOf } from "../message.ts";
import { plain } from "./plain.ts";

const MOST_ALERTS = 25;
const CHART_CID = "chart@flyball";
const MOST_IN_SUBJECT = 180;

export interface MailOptions {
  readonly name: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly externalUrl: string;
}

/** The mail that says it: as text and as HTML, in the thread of its incident, with the chart inline. */
export function mailOf(notification: Notification, options: MailOptions) {
  const { id, incident, reason, status, firing, chart } = notification;
  const message = messageOf(notification, MOST_ALERTS);
  const host = URL.parse(options.externalUrl)?.hostname ?? "flyball";
  // As a domain may be written in an identifier; an IPv6 address may not.
  const domain = /^[a-z0-9.-]+$/iu.test(host) ? host : "flyball";
  const thread = `<${incident.id}.incident@${domain}>`;
  const image = chart === undefined ? undefined : drawChart(chart);
  const tag = reason === "test" ? "TEST" : status === "firing" ? `FIRING:${firing}` : "RESOLVED";
  return {
    from: options.from,
    to: [...options.to],
    subject: plain(`[${tag}] ${message.subject}`, MOST_IN_SUBJECT),
    date: new Date(notification.atMs),
    messageId: `<${id}@${domain}>`,
    // The thread begins with a mail that nobody has ever sent, so that which one came first does not matter.
    inReplyTo: thread,
    references: thread,
    text: asText(message, chart, options.externalUrl),
    html: asHtml(message, chart, image !== undefined, options.externalUrl),
    headers: {
      // Nobody's absence note is to answer this.
      "Auto-Submitted": "auto-generated",
      "X-Auto-Response-Suppress": "All",
      "X-Flyball-Notification": id,
      "X-Flyball-Incident": incident.id,
      "List-Id": `Flyball alerts <${domain.toLowerCase()}>`,
    },
    attachments:
      image === undefined
        ? []
        : [
            {
              filename: "chart.png",
              content: image,
              cid: CHART_CID,
              contentType: "image/png",
              contentDisposition: "inline" as const,
            },
          ],
    ...(notification.alerts[0]?.severity === "critical" && status === "firing"
      ? { priority: "high" as const }
      : {}),
  } satisfies SendMailOptions;
}

function asText(
  { headline, items, notes }: Message,
  chart: AlertChart | undefined,
  externalUrl: string,
): string {
  return [
    headline,
    "",
    ...items.flatMap(({ status, severity, summary, when, advice }) => [
      `${status === "resolved" ? "RESOLVED" : severity.toUpperCase()} ${summary}`,
      `  ${when}`,
      ...(advice === undefined ? [] : [`  ${advice}`]),
      "",
    ]),
    ...(chart === undefined ? [] : [captionOf(chart), ""]),
    ...notes.flatMap((note) => [note, ""]),
    `-- `,
    `Flyball at ${externalUrl}`,
    "",
  ].join("\n");
}

const COLOURS: Readonly<Record<string, string>> = {
  critical: "#b91c1c",
  warning: "#b45309",
  info: "#1d4ed8",
  resolved: "#15803d",
};

function asHtml(
  { headline, items, notes }: Message,
  chart: AlertChart | undefined,
  hasImage: boolean,
  externalUrl: string,
): string {
  const blocks = items.map(({ status, severity, summary, when, advice }) => {
    const mark = status === "resolved" ? "resolved" : severity;
    const colour = COLOURS[mark] ?? "#374151";
    return [
      `<div style="margin:0 0 16px;padding:8px 12px;border-left:4px solid ${colour}">`,
      `<div><b style="color:${colour}">${html(mark)}</b> ${html(summary)}</div>`,
      `<div style="color:#6b7280;font-size:13px">${html(when)}</div>`,
      ...(advice === undefined ? [] : [`<div style="margin-top:6px">${html(advice)}</div>`]),
      "</div>",
    ].join("");
  });
  const image = `<img src="cid:${CHART_CID}" width="${CHART_WIDTH / 2}" height="${CHART_HEIGHT / 2}" alt="" style="max-width:100%;height:auto">`;
  return [
    '<!doctype html><html><body style="font-family:system-ui,sans-serif;font-size:15px;line-height:1.45">',
    `<p style="margin:0 0 16px;font-weight:600">${html(headline)}</p>`,
    ...blocks,
    ...(chart === undefined
      ? []
      : [
          `<div style="margin:0 0 16px">${hasImage ? image : ""}`,
          `<div style="color:#6b7280;font-size:13px">${html(captionOf(chart))}</div></div>`,
        ]),
    ...notes.map((note) => `<p>${html(note)}</p>`),
    `<p style="color:#6b7280;font-size:13px">Flyball at ${html(externalUrl)}</p>`,
    "</body></html>",
  ].join("\n");
}

/** What is drawn, in words: for who does not see it. */
function captionOf({ title, points, threshold, unit }: AlertChart): string {
  const [first, last] = [points[0], points.at(-1)];
  const name = plain(title, 100);
  if (first === undefined || last === undefined) return `${name}: nothing was measured`;
  const peak = Math.max(...points.map(({ value }) => value));
  const limit = threshold === undefined ? "" : `, threshold ${formatValue(threshold, unit)}`;
  const span = `${formatInstant(first.atMs)} to ${formatInstant(last.atMs)}`;
  return `${name}: ${formatValue(last.value, unit)} at the end, ${formatValue(peak, unit)} at most${limit}; ${span}`;
}

function formatValue(value: number, unit: AlertChart["unit"]): string {
  switch (unit) {
    case "ratio":
      return formatPercent(value);
    case "ms":
      return formatDuration(value);
    case "bytes":
      return formatBytes(value);
    case "number":
      return String(Number(value.toPrecision(3)));
  }
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function html(text: string): string {
  return text.replace(/[&<>"']/gu, (character) => ENTITIES[character] ?? "");
}
