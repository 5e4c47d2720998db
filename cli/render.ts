import { formatBytes, formatDuration, formatPercent } from "../core/units.ts";
import type {
  AuditLine,
  AutoscaleAnswer,
  DecisionView,
  ProjectAnswer,
  ReplicaView,
  ScaleAnswer,
  ServiceDetail,
  ServiceView,
  Verification,
} from "../core/wire.ts";
import { type Cell, renderTable, type TableOptions } from "./table.ts";
import { printable } from "./terminal.ts";

export const UNKNOWN = "-";

/** One line for each service. */
export function renderServices(
  services: readonly ServiceView[],
  nowMs: number,
  options: TableOptions,
): string {
  if (services.length === 0) return "no services: give the daemon a project with flyball up";
  const headers = ["SERVICE", "READY", "BOUNDS", "CPU", "MEMORY", "AUTOSCALE", "LAST DECISION"];
  const rows = services.map((service) => [
    service.id,
    readyCell(service),
    bounds(service),
    ratio(service.load.cpuRatio),
    ratio(service.load.memoryRatio),
    rule(service),
    lastDecision(service, nowMs),
  ]);
  return renderTable(headers, rows, options);
}

/** A service with each of its replicas. */
export function renderService(service: ServiceDetail, nowMs: number, options: TableOptions): string {
  const { desired, ready } = service.replicas;
  const heading = `${printable(service.id)}: ${ready} of ${counted(desired, "replica")} ready`;
  const headers = ["SLOT", "REPLICA", "STATE", "CPU", "MEMORY", "UP", "ADDRESS"];
  const rows = [...service.replicaList]
    .sort((a, b) => a.slot - b.slot)
    .map((replica) => [
      String(replica.slot),
      replica.name,
      stateCell(replica),
      replica.cpuCores === undefined ? UNKNOWN : `${replica.cpuCores.toFixed(2)} cores`,
      replica.memoryWorkingSetBytes === undefined ? UNKNOWN : formatBytes(replica.memoryWorkingSetBytes),
      replica.startedAtMs === undefined ? UNKNOWN : formatDuration(Math.max(0, nowMs - replica.startedAtMs)),
      addresses(replica),
    ]);
  const unenforced = [...new Set(service.replicaList.flatMap((replica) => replica.notEnforced))];
  return [
    options.paint("bold", heading),
    ...(rows.length === 0 ? [] : [renderTable(headers, rows, options)]),
    ...service.holds.map((hold) => `hold: ${printable(hold)}`),
    ...unenforced.map((limit) => `not enforced: ${printable(limit)}`),
    ...(service.lastDecision === undefined ? [] : [`last decision: ${lastDecision(service, nowMs)}`]),
  ].join("\n");
}

/** One line for each decision, in the order given. */
export function renderDecisions(decisions: readonly DecisionView[], options: TableOptions): string {
  if (decisions.length === 0) return "no decisions";
  const rows = decisions.map((decision): Cell[] => [
    formatInstant(decision.atMs),
    decision.from === decision.to
      ? String(decision.from)
      : { text: `${decision.from} -> ${decision.to}`, style: "bold" },
    decision.limits.map(({ limit }) => limit).join(", ") || UNKNOWN,
    decision.sentence,
  ]);
  return renderTable(["TIME", "REPLICAS", "LIMITS", "WHY"], rows, options);
}

/** How many came out the same, and the first that did not. */
export function renderVerification(service: string, verification: Verification): string {
  const { recorded, identical, firstDifference } = verification;
  const summary = `${service}: ${identical} of ${recorded} identical`;
  if (firstDifference === undefined) return printable(summary);
  const { atMs, recorded: was, replayed } = firstDifference;
  return printable(
    `${summary}; the first that is not, at ${formatInstant(atMs)}:\nrecorded ${was}\nreplayed ${replayed}`,
  );
}

/** What was, or would be, done for a project, and why; `done` decides the words. */
export function renderProjectAnswer(answer: ProjectAnswer, done: boolean, options: TableOptions): string {
  const found = `${answer.project}: ${counted(answer.services.length, "service")}`;
  const steps = answer.plan.length;
  const summary = steps === 0 ? "nothing to do" : `${counted(steps, "step")}${done ? "" : " to do"}`;
  const rows = answer.plan.map(({ action, cause }) => [action, cause]);
  return [
    options.paint("bold", `${printable(found)}, ${summary}`),
    ...(rows.length === 0 ? [] : [renderTable(["STEP", "WHY"], rows, options)]),
    ...answer.holds.map((hold) => `hold: ${printable(hold)}`),
  ].join("\n");
}

/** One line for each change that no rule has made, in the order given. */
export function renderAudit(lines: readonly AuditLine[], options: TableOptions): string {
  if (lines.length === 0) return "no changes by hand or by others";
  const rows = lines.map(({ atMs, project, service, who, from, to, policy, sentence }) => [
    formatInstant(atMs),
    service ?? project,
    who,
    from === undefined ? UNKNOWN : from === to ? String(to) : `${from} -> ${to}`,
    policy ?? UNKNOWN,
    sentence,
  ]);
  return renderTable(["TIME", "SERVICE", "WHO", "REPLICAS", "POLICY", "WHAT"], rows, options);
}

export function renderScale(answer: ScaleAnswer): string {
  const change = answer.from === answer.to ? `${answer.to} as before` : `${answer.from} -> ${answer.to}`;
  const hold =
    answer.heldUntilMs === undefined ? "" : `; its rules go on at ${formatInstant(answer.heldUntilMs)}`;
  return `${printable(answer.service)}: ${change}${hold}`;
}

export function renderMode({ service, mode }: AutoscaleAnswer): string {
  const meaning = {
    live: "is scaled by its rules",
    shadow: `shows what its rules would do, until flyball approve ${service}`,
    paused: `keeps its count, until flyball resume ${service}`,
  }[mode];
  return printable(`${service} ${meaning}`);
}

/** To the second, UTC, in the form that `--at` reads. */
export function formatInstant(atMs: number): string {
  return new Date(atMs).toISOString().replace(/\.\d+Z$/, "Z");
}

function readyCell({ replicas }: ServiceView): Cell {
  const text = `${replicas.ready}/${replicas.desired}`;
  return replicas.ready < replicas.desired ? { text, style: "yellow" } : text;
}

function stateCell({ state, exitCode }: ReplicaView): Cell {
  if (state === "running") return { text: state, style: "green" };
  if (state === "unhealthy" || state === "exited") {
    return { text: exitCode === undefined ? state : `${state} (${exitCode})`, style: "red" };
  }
  return { text: state, style: "yellow" };
}

function bounds({ replicas: { min, max } }: ServiceView): string {
  return min === undefined && max === undefined ? UNKNOWN : `${min ?? 0}..${max ?? ""}`;
}

function rule({ autoscale }: ServiceView): string {
  if (autoscale === undefined) return UNKNOWN;
  const { maxCpuRatio, maxMemoryRatio, step, dryRun, mode = "live" } = autoscale;
  return [
    ...(maxCpuRatio === undefined ? [] : [`cpu > ${formatPercent(maxCpuRatio)}`]),
    ...(maxMemoryRatio === undefined ? [] : [`memory > ${formatPercent(maxMemoryRatio)}`]),
    `step ${step}`,
    ...(dryRun ? ["dry run"] : []),
    ...(mode === "live" ? [] : [mode]),
  ].join(", ");
}

function lastDecision({ lastDecision: decision }: ServiceView, nowMs: number): string {
  if (decision === undefined) return UNKNOWN;
  return printable(`${formatDuration(Math.max(0, nowMs - decision.atMs))} ago: ${decision.sentence}`);
}

function addresses({ endpoints }: ReplicaView): string {
  return (
    endpoints.map(({ host, port, targetPort }) => `${host}:${port}->${targetPort}`).join(", ") || UNKNOWN
  );
}

function ratio(value: number | undefined): string {
  return value === undefined ? UNKNOWN : formatPercent(value);
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
