import type { AlertFacts, ServiceFacts } from "../../alerts/facts.ts";
import type { Route } from "../../alerts/grouping.ts";
import type { AlertRule, Finding } from "../../alerts/rule.ts";
import type { AlertRequest, Notification, NotifiedAlert } from "../../core/alert.ts";
import type { ObservedReplica } from "../../core/types.ts";

export const NOW_MS = Date.parse("2026-11-21T12:00:00Z");

/** As `alert.cpu: "> 90% critical"` is read. */
export const CPU_REQUEST: AlertRequest = {
  signal: "cpu",
  comparison: ">",
  threshold: 0.9,
  forMs: 0,
  keepFiringForMs: 0,
  severity: "critical",
  noData: "keep",
};

/** A daemon that sees everything, and has nothing to complain of. */
export function facts(overrides: Partial<AlertFacts> = {}): AlertFacts {
  return {
    services: [],
    engine: { description: "docker 26.1" },
    collector: { state: "running" },
    channels: [],
    ...overrides,
  };
}

export function service(overrides: Partial<ServiceFacts> = {}): ServiceFacts {
  return {
    id: "shop_web",
    project: "shop",
    name: "web",
    businessLabels: {},
    desired: 1,
    scales: false,
    replicas: [replica()],
    holds: [],
    levels: {},
    failures: [],
    requests: [],
    off: [],
    ...overrides,
  };
}

export function replica(overrides: Partial<ObservedReplica> = {}): ObservedReplica {
  return {
    id: "a1",
    project: "shop",
    service: "shop_web",
    slot: 1,
    name: "shop-web-1",
    state: "running",
    origin: "flyball",
    endpoints: [],
    notEnforced: [],
    ...overrides,
  };
}

export function route(overrides: Partial<Route> = {}): Route {
  return {
    channel: "mail",
    matchers: [],
    groupBy: ["alertname", "project"],
    groupIntervalMs: 30_000,
    repeatIntervalMs: 4 * 3_600_000,
    ...overrides,
  };
}

/** A rule whose findings are what the test says at the moment. */
export function rule(
  look: () => readonly Finding[] | undefined,
  overrides: Partial<AlertRule> = {},
): AlertRule {
  return {
    name: "ServiceDown",
    meaning: "it burns",
    severity: "critical",
    forMs: 0,
    keepFiringForMs: 0,
    noData: "keep",
    look,
    ...overrides,
  };
}

export function finding(truth: boolean | undefined, overrides: Partial<Finding> = {}): Finding {
  return {
    subject: { project: "shop", service: "shop_web" },
    truth,
    summary: "shop_web burns",
    advice: "call somebody",
    ...overrides,
  };
}

export function notified(overrides: Partial<NotifiedAlert> = {}): NotifiedAlert {
  return {
    fingerprint: "a",
    status: "firing",
    labels: { alertname: "ServiceDown", severity: "critical", project: "shop", service: "shop_web" },
    severity: "critical",
    summary: "shop_web has no ready replica; 2 should be",
    advice: "See why: flyball ps shop_web",
    startsAtMs: NOW_MS - 65_000,
    ...overrides,
  };
}

export function notification(overrides: Partial<Notification> = {}): Notification {
  return {
    id: "x-1",
    channel: "mail",
    status: "firing",
    reason: "first",
    atMs: NOW_MS,
    incident: { id: "x", openedAtMs: NOW_MS },
    groupLabels: { alertname: "ServiceDown", project: "shop" },
    alerts: [notified()],
    firing: 1,
    resolved: 0,
    truncatedAlerts: 0,
    ...overrides,
  };
}
