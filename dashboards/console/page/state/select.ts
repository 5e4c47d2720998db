import type { AlertView } from "../../../../core/wire-alerts.ts";
import type { JobAnswer } from "../../../../core/wire-jobs.ts";
import type { ServiceState, World } from "./world.ts";

export const FILTERS = ["all", "hot", "alerting", "moving", "held"] as const;
export type Filter = (typeof FILTERS)[number];
export const SORTS = ["name", "load", "replicas"] as const;
export type Sort = (typeof SORTS)[number];

export interface Choice {
  readonly filter: Filter;
  readonly sort: Sort;
  /** What is looked for in names and business labels. */
  readonly text: string;
}

/** How far along the way to its threshold a service is: 1 is there. Without a threshold: of all that it may use. */
export function heat({ view: { load, autoscale } }: ServiceState): number {
  const cpu = share(load.cpuRatio, autoscale?.maxCpuRatio);
  const memory = share(load.memoryRatio, autoscale?.maxMemoryRatio);
  return Math.max(cpu, memory);
}

function share(level: number | undefined, max: number | undefined): number {
  return level === undefined ? 0 : level / (max ?? 1);
}

/** In the order of severity: what should be looked at first says what the tile looks like. */
export type Condition = "down" | "alerting" | "hot" | "moving" | "held" | "calm" | "empty";

export function conditionOf(service: ServiceState, firing: readonly AlertView[]): Condition {
  const { replicas, autoscale } = service.view;
  if (service.job !== undefined) return conditionOfJob(service.job, firing);
  if (replicas.desired > 0 && replicas.ready === 0) return replicas.running > 0 ? "moving" : "down";
  if (firing.some(({ severity }) => severity !== "info")) return "alerting";
  if (heat(service) > 1) return "hot";
  if (replicas.ready !== replicas.desired) return "moving";
  if (autoscale !== undefined && autoscale.mode !== undefined && autoscale.mode !== "live") return "held";
  return replicas.desired === 0 ? "empty" : "calm";
}

const FAILED: ReadonlySet<string> = new Set(["failed", "timed-out", "missed"]);

function conditionOfJob({ active, last }: JobAnswer, firing: readonly AlertView[]): Condition {
  if (active.length > 0) return "moving";
  return firing.length > 0 || (last !== undefined && FAILED.has(last.state)) ? "alerting" : "calm";
}

/** What a job's tile says in place of a decision. */
export function jobSentence({ due, active, last }: JobAnswer): string {
  const [run] = active;
  const now =
    run === undefined ? undefined : `is ${run.state}${run.reason === undefined ? "" : `: ${run.reason}`}`;
  const before =
    last === undefined
      ? "has not run yet"
      : `last run: ${last.state}${last.reason === undefined ? "" : `, ${last.reason}`}`;
  return `${now ?? before}; due ${due}`;
}

/** Alerts that fire, by the service that they are of. */
export function firingByService(alerts: readonly AlertView[]): ReadonlyMap<string, readonly AlertView[]> {
  const firing = alerts.filter(({ state, labels }) => state === "firing" && labels["service"] !== undefined);
  return Map.groupBy(firing, ({ labels }) => labels["service"] ?? "");
}

/** The services to show, in their order. */
export function chosen(
  services: Iterable<ServiceState>,
  firing: ReadonlyMap<string, readonly AlertView[]>,
  { filter, sort, text }: Choice,
): readonly ServiceState[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = [...services].filter((service) => {
    if (!words.every((word) => spoken(service).includes(word))) return false;
    return isOf(filter, service, firing.get(service.view.id) ?? []);
  });
  if (sort === "name") return shown;
  const weight = sort === "load" ? heat : ({ view }: ServiceState) => view.replicas.running;
  // By tenths of the threshold: a list whose order flickers cannot be read.
  return shown.toSorted((a, b) => Math.round(weight(b) * 10) - Math.round(weight(a) * 10));
}

function isOf(filter: Filter, service: ServiceState, firing: readonly AlertView[]): boolean {
  const { replicas, autoscale } = service.view;
  switch (filter) {
    case "all":
      return true;
    case "hot":
      return heat(service) >= 0.9;
    case "alerting":
      return firing.length > 0 || conditionOf(service, firing) === "down";
    case "moving":
      return replicas.ready !== replicas.desired || replicas.running !== replicas.desired;
    case "held":
      return autoscale?.mode === "paused" || autoscale?.mode === "shadow" || autoscale?.dryRun === true;
  }
}

function spoken({ view: { project, name, id, businessLabels } }: ServiceState): string {
  const labels = Object.entries(businessLabels).map(([key, value]) => `${key}:${value}`);
  return [id, project, name, ...labels].join(" ").toLowerCase();
}

/** What the head of the page says of everything. */
export interface Sums {
  readonly services: number;
  readonly replicasReady: number;
  readonly replicasDesired: number;
  readonly cpuCores: number;
  readonly memoryBytes: number;
  readonly critical: number;
  readonly warning: number;
}

export function sumsOf({ services, alerts }: World): Sums {
  const all = [...(services?.values() ?? [])];
  const firing = alerts.filter(({ state, suppressedBy }) => state === "firing" && suppressedBy === undefined);
  const sum = (value: (service: ServiceState) => number) =>
    all.reduce((total, service) => total + value(service), 0);
  return {
    services: all.length,
    replicasReady: sum(({ view }) => view.replicas.ready),
    replicasDesired: sum(({ view }) => view.replicas.desired),
    cpuCores: sum(({ view }) => (view.load.cpuCores ?? 0) * view.replicas.ready),
    memoryBytes: sum(({ view }) => (view.load.memoryWorkingSetBytes ?? 0) * view.replicas.ready),
    critical: firing.filter(({ severity }) => severity === "critical").length,
    warning: firing.filter(({ severity }) => severity === "warning").length,
  };
}
