import type { Notification, NotifiedAlert, Severity } from "../core/alert.ts";

/** One notification on its way to its channel. */
export interface Delivery {
  readonly id: number;
  readonly notification: Notification;
  readonly createdAtMs: number;
  readonly attempts: number;
  readonly nextAtMs: number;
}

/** Notifications of one channel that wait at the same time. */
export const MOST_WAITING = 200;
const MOST_ALERTS_LISTED = 100;
const WEIGHT: Readonly<Record<Severity, number>> = { info: 0, warning: 1, critical: 2 };

export interface Enqueued {
  /** What is to be sent: the notification, with what those that it replaces had to say. */
  readonly notification: Notification;
  /** It says all that they would have said. */
  readonly replaced: readonly Delivery[];
  /** Given up, for want of room. */
  readonly dropped: readonly Delivery[];
}

/**
 * One more notification for a channel. Those of the same incident that still wait become one with it, so that a
 * channel that comes back after an hour is told how things stand and not how they stood.
 *
 * @param waiting oldest first, without what is being sent
 */
export function enqueue(waiting: readonly Delivery[], notification: Notification): Enqueued {
  const replaced = waiting.filter((one) => one.notification.incident.id === notification.incident.id);
  const merged = replaced.reduceRight((newer, older) => merge(older.notification, newer), notification);
  const others = waiting.filter((one) => !replaced.includes(one));
  const excess = others.length + 1 - MOST_WAITING;
  const dropped = excess > 0 ? others.toSorted(byImportance).slice(0, excess) : [];
  return { notification: merged, replaced, dropped };
}

/** What of both is to be said, in the words of the newer. */
function merge(older: Notification, newer: Notification): Notification {
  const isListed = (one: NotifiedAlert) =>
    newer.alerts.some(
      (other) => other.fingerprint === one.fingerprint && other.startsAtMs === one.startsAtMs,
    );
  // What fired in the older one is in the newer one as well: it fires still, or it is over.
  const ended = older.alerts.filter((one) => one.status === "resolved" && !isListed(one));
  const alerts = [...newer.alerts, ...ended];
  const unlisted = Math.max(0, alerts.length - MOST_ALERTS_LISTED);
  return {
    ...newer,
    ...(older.reason === "first" && newer.reason === "changed" ? { reason: "first" as const } : {}),
    alerts: alerts.slice(0, MOST_ALERTS_LISTED),
    resolved: newer.resolved + ended.length,
    truncatedAlerts: newer.truncatedAlerts + unlisted,
  };
}

/** The least severe first, and of those the oldest. */
function byImportance(a: Delivery, b: Delivery): number {
  return weightOf(a.notification) - weightOf(b.notification) || a.id - b.id;
}

function weightOf({ alerts }: Notification): number {
  return Math.max(...alerts.map(({ severity }) => WEIGHT[severity]), 0);
}
