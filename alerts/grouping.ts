import type { Notification, NotifiedAlert, Severity } from "../core/alert.ts";
import { type Matcher, matchesAll } from "../core/matcher.ts";
import { idOf } from "./fingerprint.ts";
import { type AlertState, type FiringAlert, isFiring } from "./state.ts";

/** Who is told of what, and how often. */
export interface Route {
  /** The channel's name. */
  readonly channel: string;
  /** Of the alerts that all of these match. */
  readonly matchers: readonly Matcher[];
  /** Alerts with the same values of these labels are told of together. */
  readonly groupBy: readonly string[];
  /** The least time between two messages about one group, unless the later says that all is over. */
  readonly groupIntervalMs: number;
  /** After this long it is said again that it still fires. */
  readonly repeatIntervalMs: number;
}

/** What a channel was told of one group of alerts. */
export interface GroupState {
  readonly channel: string;
  readonly key: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly incident: { readonly id: string; readonly openedAtMs: number };
  /** How many notifications the incident has had. */
  readonly sequence: number;
  readonly notifiedAtMs: number;
  /** Alerts that the channel was told of as firing, and not yet as resolved: key → since when they fire. */
  readonly open: Readonly<Record<string, number>>;
}

export interface GroupingInput {
  readonly nowMs: number;
  readonly routes: readonly Route[];
  readonly alerts: ReadonlyMap<string, AlertState>;
  /** Keys of alerts that nobody is to be told of. */
  readonly suppressed: ReadonlyMap<string, unknown>;
  /** Those that are over and that some channel was told of as firing, by key. */
  readonly ended: ReadonlyMap<string, AlertState>;
  readonly groups: ReadonlyMap<string, GroupState>;
  /** How many there were by now. */
  readonly incidents: number;
}

export interface GroupingOutput {
  readonly groups: ReadonlyMap<string, GroupState>;
  readonly incidents: number;
  readonly notifications: readonly Notification[];
}

const MOST_ALERTS_LISTED = 100;
const SEVERITIES: readonly Severity[] = ["critical", "warning", "info"];

/**
 * Who has to be told of what now. A channel that was told that an alert fires is told that it has resolved, whatever
 * silence there is by then.
 */
export function notify(input: GroupingInput): GroupingOutput {
  const groups = new Map(input.groups);
  const notifications: Notification[] = [];
  let { incidents } = input;
  const visible = [...input.alerts.values()].filter(
    (alert): alert is FiringAlert => isFiring(alert) && !input.suppressed.has(alert.key),
  );
  const known = Map.groupBy(input.groups.values(), ({ channel }) => channel);
  for (const route of input.routes) {
    const matching = visible.filter(({ labels }) => matchesAll(route.matchers, labels));
    const byGroup = Map.groupBy(matching, ({ labels }) => groupKey(route, labels));
    for (const { key } of known.get(route.channel) ?? []) if (!byGroup.has(key)) byGroup.set(key, []);
    for (const [key, alerts] of byGroup) {
      const id = JSON.stringify([route.channel, key]);
      const told = tell(route, key, alerts, input.groups.get(id), { ...input, incidents });
      if (told.notification?.reason === "first") incidents += 1;
      if (told.notification !== undefined) notifications.push(told.notification);
      if (told.group === undefined) groups.delete(id);
      else groups.set(id, told.group);
    }
  }
  // Of a channel that is no more.
  for (const [id, { channel }] of groups) {
    if (!input.routes.some((route) => route.channel === channel)) groups.delete(id);
  }
  return { groups, notifications, incidents };
}

/** `{}:{alertname="ServiceDown", project="shop"}`, as Alertmanager writes it. */
function groupKey({ groupBy }: Route, labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(groupLabels(groupBy, labels)).map(
    ([name, value]) => `${name}=${JSON.stringify(value)}`,
  );
  return `{}:{${pairs.join(", ")}}`;
}

function groupLabels(
  groupBy: readonly string[],
  labels: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    groupBy
      .toSorted()
      .filter((name) => labels[name] !== undefined)
      .map((name) => [name, labels[name] ?? ""]),
  );
}

function tell(
  route: Route,
  key: string,
  alerts: readonly FiringAlert[],
  before: GroupState | undefined,
  { nowMs, alerts: all, ended, incidents }: GroupingInput,
): { group?: GroupState; notification?: Notification } {
  const open = before?.open ?? {};
  const fresh = alerts.filter((alert) => open[alert.key] !== alert.firingAtMs);
  const over = Object.keys(open).filter((one) => !isFiringNow(all.get(one)));
  const stays = Object.keys(open).length > over.length;
  const sinceMs = before === undefined ? Number.POSITIVE_INFINITY : Math.abs(nowMs - before.notifiedAtMs);
  const isCalm = sinceMs >= route.groupIntervalMs;
  const reason = reasonOf({
    fresh: fresh.length,
    over: over.length,
    stays,
    isNew: Object.keys(open).length === 0,
  });

  if (reason === undefined) {
    if (alerts.length > 0 && before !== undefined && sinceMs >= route.repeatIntervalMs) {
      return said("repeat", before);
    }
    // Remembered until it may speak again: what comes and goes is not told of each time.
    return before === undefined || (!stays && isCalm) ? {} : { group: before };
  }
  if (reason === "resolved" || isCalm) return said(reason, before);
  return before === undefined ? {} : { group: before };

  function said(
    why: Notification["reason"],
    group: GroupState | undefined,
  ): { group: GroupState; notification: Notification } {
    const incident =
      group === undefined || why === "first"
        ? { id: idOf(route.channel, key, nowMs, incidents), openedAtMs: nowMs }
        : group.incident;
    const sequence = why === "first" ? 1 : (group?.sequence ?? 0) + 1;
    const silentlyOpen = Object.keys(open)
      .filter((one) => !over.includes(one) && !alerts.some((alert) => alert.key === one))
      .map((one) => [one, open[one] ?? nowMs] as const);
    const nowOpen = Object.fromEntries([
      ...silentlyOpen,
      ...alerts.map((alert) => [alert.key, alert.firingAtMs] as const),
    ]);
    const listed = [
      ...alerts.map(notified),
      ...over.flatMap((one) => {
        const alert = ended.get(one);
        return alert === undefined ? [] : [notified(alert)];
      }),
    ].sort(bySeverity);
    const firing = Object.keys(nowOpen).length;
    const labels = group?.labels ?? groupLabels(route.groupBy, alerts[0]?.labels ?? {});
    return {
      group: { channel: route.channel, key, labels, incident, sequence, notifiedAtMs: nowMs, open: nowOpen },
      notification: {
        id: `${incident.id}-${sequence}`,
        channel: route.channel,
        status: firing > 0 ? "firing" : "resolved",
        reason: why,
        atMs: nowMs,
        incident,
        groupLabels: labels,
        alerts: listed.slice(0, MOST_ALERTS_LISTED),
        firing,
        resolved: over.length,
        truncatedAlerts: Math.max(0, listed.length - MOST_ALERTS_LISTED),
      },
    };
  }
}

function reasonOf(seen: {
  fresh: number;
  over: number;
  stays: boolean;
  isNew: boolean;
}): "first" | "changed" | "resolved" | undefined {
  if (seen.fresh === 0 && seen.over === 0) return undefined;
  if (seen.isNew) return "first";
  return seen.fresh === 0 && !seen.stays ? "resolved" : "changed";
}

function isFiringNow(alert: AlertState | undefined): boolean {
  return alert !== undefined && isFiring(alert);
}

function notified(alert: AlertState): NotifiedAlert {
  const { fingerprint, labels, severity, summary, advice, firingAtMs, pendingAtMs, resolvedAtMs } = alert;
  return {
    fingerprint,
    status: alert.phase === "resolved" ? "resolved" : "firing",
    labels,
    severity,
    summary,
    advice,
    startsAtMs: firingAtMs ?? pendingAtMs,
    ...(resolvedAtMs === undefined ? {} : { endsAtMs: resolvedAtMs }),
  };
}

function bySeverity(a: NotifiedAlert, b: NotifiedAlert): number {
  if (a.status !== b.status) return a.status === "firing" ? -1 : 1;
  const severity = SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity);
  if (severity !== 0) return severity;
  if (a.startsAtMs !== b.startsAtMs) return a.startsAtMs - b.startsAtMs;
  return a.fingerprint < b.fingerprint ? -1 : 1;
}
