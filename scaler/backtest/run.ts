import { FlyballError } from "../../core/errors.ts";
import type { RuleMetric, ScalingPolicy } from "../../core/types.ts";
import { SECOND_MS } from "../../core/units.ts";
import type { Situation } from "./autoscaler.ts";
import { flyball, policyOfLabels, servicePolicyOfLabels } from "./flyball.ts";
import { type Load, loadOf } from "./load.ts";
import { plotOf } from "./plot.ts";
import { ANCHORS, type AnchorName } from "./policies.ts";
import { type Scores, scoresOf } from "./scores.ts";
import { seriesOf } from "./series.ts";
import { type ServiceHistory, serviceLoad } from "./service-load.ts";
import { type Run, simulate } from "./simulate.ts";
import { parseTrace, partOf, type Trace } from "./trace.ts";

/** The model's bounds, where the labels name none. */
export const MODEL_BOUNDS = { minReplicas: 1, maxReplicas: 60 };

interface Conditions {
  readonly startDelayMs: number;
  /** Names of {@link ANCHORS}. */
  readonly compare: readonly string[];
}

/** On a load from a file. */
export interface TraceBacktest extends Conditions {
  /** A CSV file: its name for messages, and what it says. */
  readonly trace: { readonly name: string; readonly text: string };
  /** Only this part of it: times since its first sample. */
  readonly part?: { readonly fromMs?: number; readonly toMs?: number };
  /** As `autoscale.max_cpu=70,autoscale.step=2`. */
  readonly labels: string;
  /** How much of the trace's unit one replica at full CPU does; "auto": the 99.9th percentile is 16 replicas. */
  readonly capacity: number | "auto";
}

/** On what a service itself used. */
export interface ServiceBacktest extends Conditions {
  readonly history: ServiceHistory;
  /** In one line, with the configuration's defaults; or what the daemon read already. */
  readonly rules:
    | { readonly labels: string; readonly defaults?: Readonly<Record<string, string>> }
    | { readonly policy: ScalingPolicy };
}

export type BacktestRequest = TraceBacktest | ServiceBacktest;

export interface BacktestReport {
  readonly trace: {
    readonly name: string;
    readonly samples: number;
    readonly stepSeconds: number;
    /** Places where samples are missing; the value before each is held. */
    readonly gaps: number;
    readonly missing: number;
  };
  /** Absent: the rules that the service has. */
  readonly labels?: string;
  /** Metrics of rules that cannot be replayed, and were left out. */
  readonly leftOut: readonly RuleMetric[];
  readonly startDelaySeconds: number;
  /** Absent: the load is in replicas of the service. */
  readonly capacity?: number;
  readonly stepSeconds: number;
  readonly minReplicas: number;
  readonly maxReplicas: number;
  /** In the trace's seconds: what is before it is history. */
  readonly scoredFromSeconds: number;
  /** The policy of the labels, then those it is compared with. */
  readonly policies: readonly { readonly name: string; readonly scores: Scores }[];
}

export interface Backtest {
  readonly report: BacktestReport;
  /** CSV of the labels' policy, in chunks. */
  series(): Iterable<string>;
  /** SVG of the labels' policy. */
  plot(): string;
}

/** What is replayed. */
interface Subject {
  readonly trace: Trace;
  readonly load: Load;
  readonly policy: ScalingPolicy;
  readonly labels?: string;
  readonly leftOut: readonly RuleMetric[];
}

/**
 * Replays a load through the live decision with the policy of the labels, and through those it is compared with.
 *
 * @throws FlyballError CONFIG_INVALID, LABEL_INVALID; of a service also NOT_SCALABLE, NOT_FOUND, REQUEST_INVALID
 */
export function backtest(request: BacktestRequest): Backtest {
  const anchors = request.compare.map(anchorOf);
  const { trace, load, policy, labels, leftOut } =
    "trace" in request ? subjectOfTrace(request) : subjectOfService(request);
  const { minReplicas, maxReplicas } = policy;
  const situation: Situation = { load, startDelayMs: request.startDelayMs, minReplicas, maxReplicas };

  const own = simulate(situation, flyball(policy, situation));
  const others = anchors.map((anchor) => scored(simulate(situation, anchor(situation))));
  const report: BacktestReport = {
    trace: {
      name: trace.name,
      samples: trace.values.length,
      stepSeconds: trace.stepMs / SECOND_MS,
      gaps: trace.gaps,
      missing: trace.missing,
    },
    ...(labels === undefined ? {} : { labels }),
    leftOut,
    startDelaySeconds: request.startDelayMs / SECOND_MS,
    ...("trace" in request ? { capacity: load.capacity } : {}),
    stepSeconds: load.stepMs / SECOND_MS,
    minReplicas,
    maxReplicas,
    scoredFromSeconds: (load.startMs + load.scoredFrom * load.stepMs) / SECOND_MS,
    policies: [scored(own), ...others],
  };
  return { report, series: () => seriesOf(own), plot: () => plotOf(own, trace.name) };
}

function subjectOfTrace({ trace: file, part, labels, capacity }: TraceBacktest): Subject {
  const policy = policyOfLabels(labels, MODEL_BOUNDS);
  const trace = partOf(parseTrace(file.text, file.name), part);
  return { trace, load: loadOf(trace, capacity), policy, labels, leftOut: [] };
}

/** One unit of such a load is a replica of the service. */
function subjectOfService({ history, rules }: ServiceBacktest): Subject {
  const asked =
    "policy" in rules ? rules.policy : servicePolicyOfLabels(rules.labels, history.resources, rules.defaults);
  const { trace, policy, leftOut } = serviceLoad(history, asked);
  const labels = "labels" in rules ? { labels: rules.labels } : {};
  return { trace, load: loadOf(trace, 1), policy, leftOut, ...labels };
}

function scored(run: Run): { name: string; scores: Scores } {
  return { name: run.policy, scores: scoresOf(run) };
}

function anchorOf(name: string): (typeof ANCHORS)[AnchorName] {
  if (Object.hasOwn(ANCHORS, name)) return ANCHORS[name as AnchorName];
  const names = Object.keys(ANCHORS).join(", ");
  throw new FlyballError(
    "CONFIG_INVALID",
    `expected policies to compare with among ${names}, got ${JSON.stringify(name)}`,
  );
}
