import type { DecisionView, ServiceView } from "../../../core/wire.ts";
import type { AlertView } from "../../../core/wire-alerts.ts";
import type { ServerFrame, Topic } from "../../../core/wire-stream.ts";
import {
  EMPTY_WORLD,
  type ServiceState,
  type TrailPoint,
  type World,
} from "../../../dashboards/console/page/state/world.ts";

export const EPOCH = "this-run";
export const T0_MS = 1_800_000_000_000;

export function aView(id: string, more: Partial<ServiceView> = {}): ServiceView {
  const [project = "", name = ""] = id.split("_");
  return {
    ...{ id, project, name },
    replicas: { desired: 1, running: 1, ready: 1, min: 1, max: 4 },
    load: { cpuRatio: 0.2 },
    autoscale: { maxCpuRatio: 0.7, step: 1, dryRun: false, mode: "live" },
    businessLabels: {},
    ...more,
  };
}

export function aService(id: string, more: Partial<ServiceView> = {}): ServiceState {
  return { view: aView(id, more), replicas: [], trail: [] };
}

/** A world that has seen these services, and the stream's hello. */
export function aWorld(...services: readonly ServiceState[]): World {
  return {
    ...EMPTY_WORLD,
    services: new Map(services.map((service) => [service.view.id, service])),
    position: { epoch: EPOCH, seq: 10 },
    link: { state: "live" },
  };
}

export function event(topic: Topic, data: unknown, seq = 11): ServerFrame {
  return { type: "event", topic, seq, atMs: T0_MS, data };
}

export function samples(...services: readonly ServiceView[]): ServerFrame {
  return event("samples", {
    services: services.map(({ id, replicas, load }) => ({ id, replicas, load, replicaList: [] })),
  });
}

export function aDecision(service: string, from: number, to: number, atMs = T0_MS): DecisionView {
  return {
    service,
    atMs,
    from,
    wanted: to,
    to,
    sentence: `${from} → ${to}: as told`,
    verdicts: [],
    limits: [],
  };
}

export function anAlert(service: string, more: Partial<AlertView> = {}): AlertView {
  return {
    id: `alert of ${service}`,
    state: "firing",
    severity: "warning",
    labels: { alertname: "ServiceCpu", service },
    summary: `${service} is hot`,
    advice: "look",
    pendingAtMs: T0_MS - 60_000,
    firingAtMs: T0_MS,
    ...more,
  };
}

export function aPoint(atMs: number, more: Partial<TrailPoint> = {}): TrailPoint {
  return { atMs, cpuRatio: 0.5, memoryRatio: 0.25, ready: 2, ...more };
}
