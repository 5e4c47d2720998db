import { formatPercent } from "../../core/units.ts";
import type { DemoReport } from "./report.ts";

/** The report as a person reads it, line by line. */
export function summaryOf(report: DemoReport): string[] {
  const stepAt = report.loadStepAt;
  const since = (atMs: number | undefined) =>
    stepAt === undefined || atMs === undefined ? "never".padStart(7) : seconds(atMs - stepAt);
  const { latencyMs, load } = report;
  return [
    report.closed ? "The loop closed." : "The loop did not close:",
    ...report.unmet.map((condition) => `  - ${condition}`),
    "",
    `load        ${perSecond(load.calmPerSecond)}, then ${perSecond(load.stepPerSecond)}, then ${perSecond(load.calmPerSecond)}`,
    `            a request costs ${load.cpuMsPerRequest.toFixed(1)} ms of CPU here, a replica may use ${load.limitCores} cores`,
    "",
    "after the load step",
    `  ${since(report.decisionAt)}  decision to scale out`,
    `  ${since(report.firstReplicaServingAt)}  first answer of a new replica`,
    `  ${since(report.cpuBelowMaxAt)}  CPU below max_cpu`,
    `  ${since(report.loadDropAt)}  load back to calm`,
    `  ${since(report.scaledInAt)}  scaled in again`,
    "",
    `replicas    ${replicaLine(report)}`,
    `requests    ${report.requests}, failed ${report.failedRequests}, retried ${report.retriedRequests}`,
    ...(latencyMs === undefined
      ? []
      : [`latency     p50 ${latencyMs.p50} ms, p95 ${latencyMs.p95} ms, p99 ${latencyMs.p99} ms`]),
    "",
    "the alert that this was, as it was told",
    ...report.told.map(({ by, atMs, status, text }) => {
      return `  ${since(atMs)}  ${by.padEnd(9)}  ${by === "mail" ? text : `${status}: ${text}`}`;
    }),
  ];
}

/** What the load does to one replica, before it begins. */
export function loadPlanOf(load: DemoReport["load"]): string {
  const ratio = (perSecond: number) =>
    formatPercent((perSecond * load.cpuMsPerRequest) / 1_000 / load.limitCores);
  return (
    `a request costs ${load.cpuMsPerRequest.toFixed(1)} ms of CPU here: calm is ${perSecond(load.calmPerSecond)} ` +
    `(${ratio(load.calmPerSecond)} of one replica's ${load.limitCores} cores), the step ${perSecond(load.stepPerSecond)} (${ratio(load.stepPerSecond)})`
  );
}

function replicaLine({ replicas, startedAt }: DemoReport): string {
  return replicas.map(([atMs, count]) => `${count} (${seconds(atMs - startedAt).trim()})`).join(" → ");
}

function seconds(durationMs: number): string {
  return `${(durationMs / 1_000).toFixed(1).padStart(5)} s`;
}

function perSecond(rate: number): string {
  return `${Math.round(rate)} requests/s`;
}
