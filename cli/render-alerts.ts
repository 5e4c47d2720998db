import { formatMatcher } from "../core/matcher.ts";
import { formatDuration } from "../core/units.ts";
import type { AlertList, AlertView, ChannelView, SilenceView } from "../core/wire-alerts.ts";
import { formatInstant } from "./render.ts";
import { type Cell, renderTable, type TableOptions } from "./table.ts";
import { printable } from "./terminal.ts";

const UNKNOWN = "-";
/** Enough of an id to tell alerts apart, and to type. */
const ID_LENGTH = 8;
const STYLES = { critical: "red", warning: "yellow", info: "dim" } as const;

/** A line for each alert, and one for each channel that cannot deliver. */
export function renderAlerts({ alerts, channels }: AlertList, nowMs: number, options: TableOptions): string {
  const failing = channels.filter(({ failingSinceMs, lost }) => failingSinceMs !== undefined || lost > 0);
  const table = renderTable(
    ["ID", "STATE", "SEVERITY", "ALERT", "SINCE", "TOLD", "WHAT"],
    alerts.map((alert) => rowOf(alert, nowMs)),
    options,
  );
  return [
    alerts.length === 0 ? "nothing is wrong, and nothing was lately" : table,
    ...failing.map((channel) => printable(channelLine(channel))),
  ].join("\n");
}

function rowOf(alert: AlertView, nowMs: number): Cell[] {
  const { id, state, severity, labels, summary, pendingAtMs, firingAtMs, resolvedAtMs } = alert;
  const isOver = state === "resolved";
  return [
    id.slice(0, ID_LENGTH),
    alert.missingSinceMs === undefined ? state : `${state}, no data`,
    isOver ? severity : { text: severity, style: STYLES[severity] },
    labels["alertname"] ?? UNKNOWN,
    isOver
      ? `${formatInstant(resolvedAtMs ?? pendingAtMs)}, after ${spanOf(firingAtMs, resolvedAtMs ?? pendingAtMs)}`
      : `${formatInstant(firingAtMs ?? pendingAtMs)}, ${spanOf(firingAtMs ?? pendingAtMs, nowMs)}`,
    toldOf(alert),
    summary,
  ];
}

function toldOf({ state, acknowledged, suppressedBy }: AlertView): string {
  if (acknowledged !== undefined) return `known to ${acknowledged.by}`;
  return suppressedBy ?? (state === "pending" ? "not yet" : "yes");
}

function spanOf(fromMs: number | undefined, toMs: number): string {
  return fromMs === undefined ? UNKNOWN : formatDuration(Math.max(0, toMs - fromMs));
}

function channelLine({ name, failingSinceMs, trouble, waiting, lost }: ChannelView): string {
  const since =
    failingSinceMs === undefined ? "delivers" : `cannot deliver since ${formatInstant(failingSinceMs)}`;
  const why = trouble === undefined ? "" : `: ${trouble}`;
  return `${name} ${since}${why}; ${waiting} waiting, ${lost} given up`;
}

/** A line for each silence, those that are over last. */
export function renderSilences(silences: readonly SilenceView[], options: TableOptions): string {
  if (silences.length === 0) return "nothing is silenced";
  const order = ["active", "pending", "expired"];
  const rows = silences
    .toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state) || a.endsAtMs - b.endsAtMs)
    .map(({ id, state, matchers, endsAtMs, author, comment, alerts }) => [
      id,
      state,
      matchers.map(formatMatcher).join(" "),
      formatInstant(endsAtMs),
      String(alerts),
      author,
      comment || UNKNOWN,
    ]);
  return renderTable(["ID", "STATE", "MATCHES", "UNTIL", "ALERTS", "BY", "WHY"], rows, options);
}
