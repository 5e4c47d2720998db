import type { AlertRuleName } from "./alert-rules.ts";

/** What the alerts room says to others, and what is asked of it: plain data, as in core/types.ts. */

export type Severity = "critical" | "warning" | "info";

/** `cpu`, `memory` 0..1 of what a replica may use · `rps` per replica · `latency` milliseconds at p95 · `replicas` that are ready. */
export type AlertSignal = "cpu" | "memory" | "rps" | "latency" | "replicas";

export type Comparison = ">" | ">=" | "<" | "<=";

/** What is made of a moment at which nothing is known: nothing, as if it were true, or as if it were not. */
export type NoData = "keep" | "fire" | "resolve";

/** A threshold that a label or the configuration asks to be told of. */
export interface AlertRequest {
  readonly signal: AlertSignal;
  readonly comparison: Comparison;
  /** In the unit of the signal. */
  readonly threshold: number;
  /** How long it must hold without a break; moments of which nothing is known do not count. */
  readonly forMs: number;
  /** How long it must be over before the alert is. */
  readonly keepFiringForMs: number;
  readonly severity: Severity;
  readonly noData: NoData;
}

/** What the labels of a service say of alerts. */
export interface ServiceAlerts {
  readonly requests: readonly AlertRequest[];
  /** Rules that are not to look at it. */
  readonly off: readonly AlertRuleName[];
}

/** Somebody knows: nobody is told again until the alert has resolved. */
export interface Acknowledgement {
  readonly by: string;
  readonly comment: string;
  readonly atMs: number;
}

/** One alert inside a notification. */
export interface NotifiedAlert {
  /** Hash of what makes the alert this one and no other. */
  readonly fingerprint: string;
  readonly status: "firing" | "resolved";
  readonly labels: Readonly<Record<string, string>>;
  readonly severity: Severity;
  /** One sentence: what is wrong. */
  readonly summary: string;
  /** What to do next. */
  readonly advice: string;
  readonly startsAtMs: number;
  readonly endsAtMs?: number;
}

/** A series to draw beside the alert that it is about. */
export interface AlertChart {
  readonly title: string;
  /** Oldest first; a gap is where points are missing. */
  readonly points: readonly { readonly atMs: number; readonly value: number }[];
  readonly threshold?: number;
  /** How values are written: 0..1 as percent, milliseconds, or as they are. */
  readonly unit: "ratio" | "ms" | "number" | "bytes";
}

/** What a channel is told: all that it should know of one incident at one moment. */
export interface Notification {
  /** The same however often it is delivered: what a receiver can know a repetition by. */
  readonly id: string;
  readonly channel: string;
  /** `resolved`: none of its alerts fires any more. */
  readonly status: "firing" | "resolved";
  readonly reason: "first" | "changed" | "repeat" | "resolved" | "test";
  readonly atMs: number;
  /** From the first alert of the group until none fires any more: one thread of mails. */
  readonly incident: { readonly id: string; readonly openedAtMs: number };
  readonly groupLabels: Readonly<Record<string, string>>;
  /** Firing ones first, the most severe of them first. */
  readonly alerts: readonly NotifiedAlert[];
  readonly firing: number;
  readonly resolved: number;
  /** How many alerts more there are than are listed. */
  readonly truncatedAlerts: number;
  readonly chart?: AlertChart;
  /** Earlier notifications of this channel that were given up, for want of room or of a receiver. */
  readonly lost?: number;
}
