import type { Notification, NotifiedAlert } from "../core/alert.ts";
import { formatDuration, SECOND_MS } from "../core/units.ts";
import { plain } from "./channels/plain.ts";

/** A notification in words: what mails and chats show, each in its own way. */
export interface Message {
  /** The same for all messages of an incident. */
  readonly subject: string;
  /** One line: how it stands now. */
  readonly headline: string;
  readonly items: readonly MessageItem[];
  /** How many more there are, and what was lost; each a sentence. */
  readonly notes: readonly string[];
}

export interface MessageItem {
  readonly status: "firing" | "resolved";
  readonly severity: string;
  readonly summary: string;
  /** `since 12:00:03 UTC`, or from when to when. */
  readonly when: string;
  /** Absent once it is over. */
  readonly advice?: string;
}

const MOST_IN_A_LINE = 120;
const MOST_IN_A_SENTENCE = 600;

/** @param most how many alerts are listed */
export function messageOf(notification: Notification, most: number): Message {
  const { alerts, firing, resolved, truncatedAlerts, lost } = notification;
  const listed = alerts.slice(0, most);
  const unlisted = truncatedAlerts + alerts.length - listed.length;
  return {
    subject: subjectOf(notification),
    headline: headlineOf(notification.reason, firing, resolved),
    items: listed.map((alert) => itemOf(alert, notification.atMs)),
    notes: [
      ...(unlisted > 0 ? [`and ${unlisted} more: flyball alerts ls`] : []),
      ...(lost === undefined
        ? []
        : [
            `${counted(lost, "earlier notification")} could not be delivered here and ${lost === 1 ? "was" : "were"} given up`,
          ]),
    ],
  };
}

/** `ServiceDown: shop_web`, as it was when the incident was opened as far as the group knows it. */
function subjectOf({ groupLabels, alerts, reason }: Notification): string {
  if (reason === "test") return "a test";
  const { alertname, ...others } = groupLabels;
  const name = alertname ?? "alerts";
  const about = Object.values(others).join(" ") || (alerts[0]?.labels["service"] ?? "");
  return plain(about === "" ? name : `${name}: ${about}`, MOST_IN_A_LINE);
}

function headlineOf(reason: Notification["reason"], firing: number, resolved: number): string {
  if (reason === "test") return "this is a test; nothing is wrong";
  if (firing === 0) return resolved === 1 ? "resolved" : `all ${resolved} resolved`;
  const still = reason === "repeat" ? "still " : "";
  const over = resolved === 0 ? "" : `, ${resolved} resolved`;
  return `${firing} ${still}firing${over}`;
}

function itemOf(alert: NotifiedAlert, atMs: number): MessageItem {
  const { status, severity, summary, advice, startsAtMs, endsAtMs } = alert;
  const lastsMs = Math.max(0, atMs - startsAtMs);
  const lasts = lastsMs < SECOND_MS ? "" : ` (${formatDuration(lastsMs)})`;
  const when =
    endsAtMs === undefined
      ? `since ${formatInstant(startsAtMs)}${lasts}`
      : `from ${formatInstant(startsAtMs)} to ${formatInstant(endsAtMs)} (${formatDuration(endsAtMs - startsAtMs)})`;
  return {
    status,
    severity,
    // In the words of when it was last true.
    summary: plain(status === "resolved" ? `was: ${summary}` : summary, MOST_IN_A_SENTENCE),
    when,
    ...(status === "firing" ? { advice: plain(advice, MOST_IN_A_SENTENCE) } : {}),
  };
}

export function formatInstant(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
