import type { Notification } from "../../core/alert.ts";
import { SECOND_MS } from "../../core/units.ts";
import { type Message, messageOf } from "../message.ts";
import type { Channel } from "./channel.ts";
import { shortened } from "./plain.ts";
import { postJson } from "./post-json.ts";

/** https://docs.slack.dev/reference/block-kit/blocks */
const MOST_IN_HEADER = 150;
const MOST_IN_SECTION = 3_000;
/** A message of 20 alerts is read by nobody; Slack takes 50 blocks. */
const MOST_ALERTS = 10;
/** https://docs.slack.dev/apis/web-api/rate-limits: one message per second, with small bursts. */
const PACE_MS = SECOND_MS;
/** https://docs.slack.dev/reference/methods/chat.postMessage: longer texts are cut by Slack. */
const MOST_IN_TEXT = 4_000;

const COLOURS = { critical: "#e01e5a", warning: "#ecb22e", info: "#36c5f0", resolved: "#2eb67d" } as const;

export interface SlackOptions {
  readonly name: string;
  /** Of an incoming webhook; a secret. */
  readonly url: string;
  readonly nowMs: () => number;
}

export function slackChannel({ name, url, nowMs }: SlackOptions): Channel {
  return {
    name,
    kind: "slack",
    paceMs: PACE_MS,
    send: (notification, signal) => postJson(url, slackPayload(notification), { signal, nowMs }),
  };
}

/** A message of Block Kit with a colour at its side, within what Slack takes. */
export function slackPayload(notification: Notification) {
  const message = messageOf(notification, MOST_ALERTS);
  const title = `${message.subject}: ${message.headline}`;
  return {
    // What notifications of phones and screen readers say.
    text: fitting(escaped(title), MOST_IN_TEXT),
    attachments: [
      {
        color: colourOf(notification),
        blocks: [
          {
            type: "header",
            text: { type: "plain_text", text: shortened(title, MOST_IN_HEADER), emoji: false },
          },
          ...message.items.map((item) => section(itemText(item))),
          ...message.notes.map((note) => ({
            type: "context",
            elements: [{ type: "mrkdwn", text: fitting(escaped(note), MOST_IN_SECTION) }],
          })),
        ],
      },
    ],
  };
}

function section(text: string) {
  return { type: "section", text: { type: "mrkdwn", text } };
}

function itemText({ status, severity, summary, when, advice }: Message["items"][number]): string {
  const mark = status === "resolved" ? "resolved" : severity;
  const lines = [
    `*${mark}* ${literal(summary)}`,
    `_${when}_`,
    ...(advice === undefined ? [] : [literal(advice)]),
  ];
  return fitting(lines.join("\n"), MOST_IN_SECTION);
}

function colourOf({ status, alerts, reason }: Notification): string {
  if (reason === "test") return COLOURS.info;
  return status === "resolved" ? COLOURS.resolved : COLOURS[alerts[0]?.severity ?? "warning"];
}

/** Not cut within what stands for one character. */
function fitting(text: string, most: number): string {
  return shortened(text, most).replace(/&[a-z]*…$/u, "…");
}

/** Slack wants these three escaped, and nothing else: https://docs.slack.dev/messaging/formatting-message-text */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Text from outside that must not become bold, code or a mention: marks get a joint of no width before them. */
function literal(text: string): string {
  return escaped(text).replace(/[*_~`]/gu, "\u200b$&");
}
