import { Counter, Gauge, type Registry } from "prom-client";

/** What is known of alerts, and of who is told of them. */
export interface AlertFigures {
  /** Every rule there is, with the severity that it has by itself. */
  readonly rules: readonly { readonly name: string; readonly severity: string }[];
  /** Those that are pending or firing. */
  readonly alerts: readonly {
    readonly rule: string;
    readonly severity: string;
    readonly phase: "pending" | "firing" | "resolved";
  }[];
  readonly channels: readonly ChannelFigures[];
}

/** Counts are since the start of the daemon. */
export interface ChannelFigures {
  readonly name: string;
  readonly waiting: number;
  readonly failedAttempts: number;
  /** By what became of them: `sent`, `replaced`, `dropped`, `dead`. */
  readonly ended: Readonly<Record<string, number>>;
}

const NOTHING: AlertFigures = { rules: [], alerts: [], channels: [] };

/** What the daemon tells Prometheus about alerts: by rule, not by what each is about. */
export class AlertMetrics {
  #read: () => AlertFigures = () => NOTHING;

  constructor(registry: Registry) {
    const figures = () => this.#read();
    registry.registerMetric(alertGauge(figures));
    for (const metric of channelMetrics(figures)) registry.registerMetric(metric);
  }

  /** From now on it is told what that says; before, nothing. */
  readFrom(figures: () => AlertFigures): void {
    this.#read = figures;
  }
}

function alertGauge(figures: () => AlertFigures) {
  return new Gauge({
    name: "flyball_alerts",
    help: "Alerts of a rule that are pending, and those that fire, silenced ones among them.",
    labelNames: ["rule", "severity", "state"],
    registers: [],
    collect() {
      this.reset();
      const { rules, alerts } = figures();
      for (const { name: rule, severity } of rules) {
        for (const state of ["pending", "firing"]) this.set({ rule, severity, state }, 0);
      }
      for (const { rule, severity, phase: state } of alerts) this.inc({ rule, severity, state });
    },
  });
}

function channelMetrics(figures: () => AlertFigures) {
  const ended = new Counter({
    name: "flyball_alert_notifications_total",
    help: "Notifications of a channel that need no delivery any more: sent, replaced by a newer one that says the same and more, dropped for want of room, or dead, which is given up.",
    labelNames: ["channel", "result"],
    registers: [],
    collect() {
      this.reset();
      for (const { name: channel, ended } of figures().channels) {
        for (const [result, count] of Object.entries(ended)) this.inc({ channel, result }, count);
      }
    },
  });
  const failed = new Counter({
    name: "flyball_alert_attempts_failed_total",
    help: "Attempts to deliver a notification that failed.",
    labelNames: ["channel"],
    registers: [],
    collect() {
      this.reset();
      for (const { name: channel, failedAttempts } of figures().channels)
        this.inc({ channel }, failedAttempts);
    },
  });
  const pending = new Gauge({
    name: "flyball_outbox_pending",
    help: "Notifications that wait to be delivered.",
    labelNames: ["channel"],
    registers: [],
    collect() {
      this.reset();
      for (const { name: channel, waiting } of figures().channels) this.set({ channel }, waiting);
    },
  });
  return [ended, failed, pending];
}
