import type { DecisionView } from "../../core/wire.ts";
import type { Told } from "./alert-witness.ts";
import type { Calibration } from "./calibrate.ts";

/** What happened, in the order in which it did. Instants are milliseconds since 1970 UTC. */
export type DemoEvent =
  | { readonly kind: "phase"; readonly atMs: number; readonly name: string; readonly factor: number }
  | {
      readonly kind: "observed";
      readonly atMs: number;
      /** Ids of the replicas that are ready. */
      readonly ready: readonly string[];
      /** That exist and have not ended. */
      readonly running: number;
      readonly cpu?: { readonly readAtMs: number; readonly ratio: number; readonly maxRatio: number };
    }
  | { readonly kind: "decision"; readonly decision: DecisionView }
  | {
      readonly kind: "outcome";
      readonly atMs: number;
      readonly replica: string | undefined;
      readonly latencyMs: number;
      /** Absent: answered 200. */
      readonly failure?: string;
    }
  | ({ readonly kind: "told" } & Told);

/** What `demo-report.json` holds. Instants are milliseconds since 1970 UTC; absent is what did not happen. */
export interface DemoReport {
  readonly engine: string;
  /** The loop closed: out, carried, in again, and nothing failed on the way. */
  readonly closed: boolean;
  /** What is missing for that, for a person. */
  readonly unmet: readonly string[];
  readonly startedAt: number;
  readonly endedAt: number;
  readonly loadStepAt?: number;
  /** Of the first decision to scale out after the step. */
  readonly decisionAt?: number;
  /** When a replica that was not there at the step first answered 200. */
  readonly firstReplicaServingAt?: number;
  /** When the mean CPU use, read after that, was not above `max_cpu`. */
  readonly cpuBelowMaxAt?: number;
  readonly loadDropAt?: number;
  /** When, with the load gone, there were no more replicas than at the step. */
  readonly scaledInAt?: number;
  /** `[instant, ready replicas]` at every change. */
  readonly replicas: readonly (readonly [number, number])[];
  readonly requests: number;
  readonly failedRequests: number;
  /** Sent a second time because the connection had been closed while it was idle. */
  readonly retriedRequests: number;
  readonly firstFailure?: string;
  readonly latencyMs?: Latencies;
  readonly load: Calibration;
  /** Who was told of the alert that the scale-out was, and of its end, in the order in which they were. */
  readonly told: readonly Told[];
  /** Those that changed the count, oldest first. */
  readonly decisions: readonly DecisionView[];
}

export interface Latencies {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

export interface Run {
  readonly engine: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly load: Calibration;
  readonly retriedRequests: number;
  readonly events: readonly DemoEvent[];
}

type EventOf<Kind extends DemoEvent["kind"]> = Extract<DemoEvent, { kind: Kind }>;

export function reportOf(run: Run): DemoReport {
  const phases = eventsOf(run, "phase");
  const observed = eventsOf(run, "observed");
  const outcomes = eventsOf(run, "outcome");
  const decisions = eventsOf(run, "decision").map(({ decision }) => decision);

  const stepAt = phases.find(({ factor }) => factor > 1)?.atMs;
  const dropAt =
    stepAt === undefined ? undefined : phases.find((p) => p.atMs > stepAt && p.factor <= 1)?.atMs;
  const atStep = observed.findLast(({ atMs }) => stepAt !== undefined && atMs <= stepAt);
  const decisionAt = firstAfter(
    stepAt,
    decisions.filter(({ from, to }) => to > from).map(({ atMs }) => atMs),
  );
  const servingAt = firstAfter(
    decisionAt,
    outcomes
      .filter(({ failure, replica }) => failure === undefined && !atStep?.ready.includes(replica ?? ""))
      .map(({ atMs }) => atMs),
  );
  const cpuBelowMaxAt = firstAfter(
    servingAt,
    observed.flatMap(({ cpu }) => (cpu !== undefined && cpu.ratio <= cpu.maxRatio ? [cpu.readAtMs] : [])),
  );
  const scaledInAt = firstAfter(
    servingAt === undefined || dropAt === undefined ? undefined : Math.max(servingAt, dropAt),
    observed.filter((seen) => atStep !== undefined && isBackAt(atStep, seen)).map(({ atMs }) => atMs),
  );
  const failures = outcomes.flatMap(({ failure }) => (failure === undefined ? [] : [failure]));

  const report = {
    engine: run.engine,
    startedAt: run.startedAtMs,
    endedAt: run.endedAtMs,
    ...given("loadStepAt", stepAt),
    ...given("decisionAt", decisionAt),
    ...given("firstReplicaServingAt", servingAt),
    ...given("cpuBelowMaxAt", cpuBelowMaxAt),
    ...given("loadDropAt", dropAt),
    ...given("scaledInAt", scaledInAt),
    replicas: timeline(observed),
    requests: outcomes.length,
    failedRequests: failures.length,
    retriedRequests: run.retriedRequests,
    ...given("firstFailure", failures[0]),
    ...given("latencyMs", latenciesOf(outcomes)),
    load: run.load,
    told: eventsOf(run, "told").map(({ kind: _kind, ...told }) => told),
    decisions,
  };
  const unmet = unmetConditions(report);
  return { ...report, closed: unmet.length === 0, unmet };
}

/** What is missing for a closed loop, one sentence each. */
function unmetConditions(report: Omit<DemoReport, "closed" | "unmet">): string[] {
  const { loadStepAt, decisionAt, firstReplicaServingAt, cpuBelowMaxAt, loadDropAt, scaledInAt } = report;
  const unmet: string[] = [];
  if (loadStepAt === undefined) unmet.push("the load was never raised");
  else if (decisionAt === undefined) unmet.push("no decision to scale out came after the load step");
  else if (firstReplicaServingAt === undefined) unmet.push("no new replica answered a request");
  else {
    if (cpuBelowMaxAt === undefined) unmet.push("CPU did not come back below max_cpu");
    else if (loadDropAt !== undefined && cpuBelowMaxAt > loadDropAt) {
      unmet.push("CPU came back below max_cpu only when the load had gone");
    }
    if (scaledInAt === undefined) unmet.push("the service did not scale in again");
    for (const by of ["websocket", "mail"] as const) {
      if (!report.told.some((one) => one.by === by && one.status === "firing")) {
        unmet.push(`nobody was told of the alert by ${by}`);
      }
    }
  }
  if (report.failedRequests > 0) {
    unmet.push(`${report.failedRequests} of ${report.requests} requests failed: ${report.firstFailure}`);
  }
  return unmet;
}

/** p50, p95 and p99 of the answered requests, in milliseconds; undefined when none was answered. */
export function latenciesOf(
  outcomes: readonly { readonly latencyMs: number; readonly failure?: string }[],
): Latencies | undefined {
  const sorted = outcomes
    .filter(({ failure }) => failure === undefined)
    .map(({ latencyMs }) => latencyMs)
    .sort((a, b) => a - b);
  if (sorted.length === 0) return undefined;
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

/** True once there are no more replicas than there were at the step, neither ready nor on their way out. */
function isBackAt(atStep: EventOf<"observed">, seen: EventOf<"observed">): boolean {
  return seen.ready.length <= atStep.ready.length && seen.running <= atStep.running && seen.ready.length > 0;
}

function timeline(observed: readonly EventOf<"observed">[]): (readonly [number, number])[] {
  return observed
    .filter((seen, i) => seen.ready.length !== observed[i - 1]?.ready.length)
    .map(({ atMs, ready }) => [atMs, ready.length] as const);
}

function eventsOf<Kind extends DemoEvent["kind"]>(run: Run, kind: Kind): EventOf<Kind>[] {
  return run.events.filter((event): event is EventOf<Kind> => event.kind === kind);
}

function firstAfter(startMs: number | undefined, instantsMs: readonly number[]): number | undefined {
  return startMs === undefined ? undefined : instantsMs.find((atMs) => atMs >= startMs);
}

function given<Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } {
  return value === undefined ? {} : ({ [key]: value } as { [K in Key]: Value });
}
