import type { Notification } from "../../../../core/alert.ts";
import type { DecisionView, ServiceView } from "../../../../core/wire.ts";
import type { ActionEvent, ServerFrame, StreamSamples } from "../../../../core/wire-stream.ts";
import {
  type Happening,
  ofAction,
  ofAlert,
  ofAudit,
  ofDecision,
  ofNotification,
  withHappenings,
} from "./timeline.ts";
import type { AlertsSnapshot, ServiceState, ServicesSnapshot, TrailPoint, World } from "./world.ts";

/** Seconds of each service that the page remembers by itself. */
export const TRAIL_LENGTH = 300;

type StreamEvent = Extract<ServerFrame, { type: "event" }>;

/** What the world is after what the stream told. @param heardAtMs by the clock of the page */
export function reduce(world: World, frame: ServerFrame, heardAtMs: number): World {
  switch (frame.type) {
    case "hello": {
      const { epoch } = frame;
      return world.position?.epoch === epoch ? world : { ...world, position: { epoch, seq: frame.seq } };
    }
    case "event":
      return { ...afterEvent(world, frame, heardAtMs), position: positionAfter(world, frame) };
    case "subscribed":
    case "heartbeat":
    case "problem":
      return world;
  }
}

/** What the world is after its services were asked for; what was seen of each of them is kept. */
export function withServices(world: World, { services, jobs, audit }: ServicesSnapshot): World {
  const decided = services
    .flatMap(({ lastDecision }) => lastDecision ?? [])
    .filter(({ from, to }) => from !== to);
  const jobOf = new Map(jobs.map((job) => [job.service, job]));
  const state = (view: ServiceView): ServiceState => {
    const { replicas = [], trail = [] } = world.services?.get(view.id) ?? {};
    return { view, replicas, trail, job: jobOf.get(view.id) };
  };
  return {
    ...world,
    services: new Map(services.map((view) => [view.id, state(view)])),
    timeline: withHappenings(world.timeline, [...audit.map(ofAudit), ...decided.map(ofDecision)]),
    outdated: { ...world.outdated, services: false },
  };
}

export function withAlerts(world: World, { alerts, channels, silences, readiness }: AlertsSnapshot): World {
  return {
    ...world,
    ...{ alerts, channels, silences, readiness },
    timeline: withHappenings(world.timeline, alerts.flatMap(ofAlert)),
    outdated: { ...world.outdated, alerts: false },
  };
}

function positionAfter({ position }: World, { seq }: StreamEvent): World["position"] {
  return position === undefined ? undefined : { ...position, seq: Math.max(seq, position.seq) };
}

function afterEvent(world: World, { topic, data, atMs, seq }: StreamEvent, heardAtMs: number): World {
  switch (topic) {
    case "samples":
      return withSamples(world, data as StreamSamples, atMs, heardAtMs);
    case "decisions":
      return withDecision(world, data as DecisionView);
    case "actions":
      return withLines(world, [ofAction(data as ActionEvent, atMs, seq)]);
    case "alerts":
      return {
        ...withLines(world, ofNotification(data as Notification)),
        outdated: { ...world.outdated, alerts: true },
      };
  }
}

function withLines(world: World, lines: readonly Happening[]): World {
  return { ...world, timeline: withHappenings(world.timeline, lines) };
}

function withSamples(world: World, { services }: StreamSamples, atMs: number, heardAtMs: number): World {
  if (world.services === undefined) return world;
  const next = new Map(world.services);
  let known = 0;
  for (const { id, replicas, load, replicaList } of services) {
    const before = next.get(id);
    if (before === undefined) continue;
    known += 1;
    const point = { atMs, cpuRatio: load.cpuRatio, memoryRatio: load.memoryRatio, ready: replicas.ready };
    next.set(id, {
      ...before,
      view: { ...before.view, replicas, load },
      replicas: replicaList,
      trail: lengthened(before.trail, point),
    });
  }
  const areOthers = known !== services.length || known !== next.size;
  const outdated = areOthers ? { ...world.outdated, services: true } : world.outdated;
  return { ...world, services: next, figuresAtMs: atMs, figuresHeardAtMs: heardAtMs, outdated };
}

function lengthened(trail: readonly TrailPoint[], point: TrailPoint): readonly TrailPoint[] {
  const kept = trail.length < TRAIL_LENGTH ? trail.slice() : trail.slice(trail.length - TRAIL_LENGTH + 1);
  kept.push(point);
  return kept;
}

function withDecision(world: World, decision: DecisionView): World {
  const told = withLines(world, [ofDecision(decision)]);
  const before = told.services?.get(decision.service);
  if (told.services === undefined || before === undefined) return told;
  const known = before.view.lastDecision;
  if (known !== undefined && known.atMs > decision.atMs) return told;
  const services = new Map(told.services);
  services.set(decision.service, { ...before, view: { ...before.view, lastDecision: decision } });
  return { ...told, services };
}
