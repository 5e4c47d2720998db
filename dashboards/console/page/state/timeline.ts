import type { Notification } from "../../../../core/alert.ts";
import type { AuditLine, DecisionView } from "../../../../core/wire.ts";
import type { AlertView } from "../../../../core/wire-alerts.ts";
import type { ActionEvent } from "../../../../core/wire-stream.ts";

/** What a line of the timeline is of. */
export type HappeningKind = "decision" | "action" | "alert" | "hand" | "link";

/** One line of the timeline. */
export interface Happening {
  /** The same for the same thing, however it came to be known. */
  readonly key: string;
  readonly kind: HappeningKind;
  readonly atMs: number;
  readonly service: string | undefined;
  readonly text: string;
  /** Why. */
  readonly detail?: string | undefined;
  readonly tone: "out" | "in" | "quiet" | "good" | "bad" | "warn";
  /** Nothing changed by it. */
  readonly isQuiet: boolean;
}

const MOST = 1_000;

export function ofDecision(decision: DecisionView): Happening {
  const { service, atMs, from, to, wanted, sentence } = decision;
  const tone = to > from ? "out" : to < from ? "in" : wanted === from ? "quiet" : "warn";
  return {
    ...{ key: `decision ${service} ${atMs}`, kind: "decision", service, atMs, text: sentence, tone },
    isQuiet: to === from,
  };
}

export function ofAction(event: ActionEvent, atMs: number, seq: number): Happening {
  const { service, action, cause, outcome, error } = event;
  const tone = outcome === "failed" ? "bad" : outcome === "skipped" ? "warn" : "quiet";
  const end =
    outcome === "done"
      ? ""
      : outcome === "failed"
        ? ` failed: ${error ?? "no reason was told"}`
        : " was skipped";
  return {
    ...{ key: `action ${atMs} ${seq}`, kind: "action", service, atMs, tone },
    text: `${action}${end}`,
    detail: cause,
    isQuiet: false,
  };
}

/** One for each alert of it: whoever is told of it besides. */
export function ofNotification({ reason, atMs, alerts }: Notification): readonly Happening[] {
  if (reason === "repeat" || reason === "test") return [];
  return alerts.map(({ fingerprint: id, summary, labels, severity, status, startsAtMs, endsAtMs }) => {
    const of = { id, summary, labels, severity };
    return status === "firing" ? began(of, startsAtMs) : ended(of, startsAtMs, endsAtMs ?? atMs);
  });
}

/** What is known of an alert's past: that it began, and that it is over. */
export function ofAlert(alert: AlertView): readonly Happening[] {
  const { firingAtMs, resolvedAtMs } = alert;
  if (firingAtMs === undefined) return [];
  const beginning = began(alert, firingAtMs);
  return resolvedAtMs === undefined ? [beginning] : [beginning, ended(alert, firingAtMs, resolvedAtMs)];
}

type OfAlert = Pick<AlertView, "id" | "summary" | "labels" | "severity">;

function began({ id, summary, labels, severity }: OfAlert, atMs: number): Happening {
  const tone = severity === "critical" ? "bad" : "warn";
  const key = `alert ${id} ${atMs} firing`;
  return { key, kind: "alert", service: labels["service"], atMs, text: summary, tone, isQuiet: false };
}

function ended({ id, summary, labels }: OfAlert, beganAtMs: number, atMs: number): Happening {
  const key = `alert ${id} ${beganAtMs} resolved`;
  const text = `resolved: ${summary}`;
  return { key, kind: "alert", service: labels["service"], atMs, text, tone: "good", isQuiet: false };
}

export function ofAudit(line: AuditLine): Happening {
  const { atMs, service, sentence, who, what, project } = line;
  return {
    ...{ key: `hand ${service ?? project} ${atMs} ${what}`, kind: "hand", service, atMs },
    text: sentence,
    detail: who,
    tone: what === "scale" || what === "external" ? "warn" : "quiet",
    isQuiet: false,
  };
}

export function ofLink(atMs: number, text: string, tone: "good" | "bad"): Happening {
  return { key: `link ${atMs} ${tone}`, kind: "link", atMs, service: undefined, text, tone, isQuiet: false };
}

/** Newest first, each once; what is oldest is let go. */
export function withHappenings(
  timeline: readonly Happening[],
  more: readonly Happening[],
): readonly Happening[] {
  const known = new Set(timeline.map(({ key }) => key));
  const fresh = more.filter(({ key }) => !known.has(key) && known.add(key));
  if (fresh.length === 0) return timeline;
  return [...fresh, ...timeline].sort((a, b) => b.atMs - a.atMs).slice(0, MOST);
}
