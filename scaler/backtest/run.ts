import { FlyballError } from "../../core/errors.ts";
import { SECOND_MS } from "../../core/units.ts";
import type { Situation } from "./autoscaler.ts";
import { flyball, policyOfLabels } from "./flyball.ts";
import { loadOf } from "./load.ts";
import { plotOf } from "./plot.ts";
import { ANCHORS, type AnchorName } from "./policies.ts";
import { type Scores, scoresOf } from "./scores.ts";
import { seriesOf } from "./series.ts";
import { type Run, simulate } from "./simulate.ts";
import { parseTrace } from "./trace.ts";

/** The model's bounds, where the labels name none. */
export const MODEL_BOUNDS = { minReplicas: 1, maxReplicas: 60 };

export interface BacktestRequest {
  /** A CSV file: its name for messages, and what it says. */
  readonly trace: { readonly name: string; readonly text: string };
  /** As `autoscale.max_cpu=70,autoscale.step=2`. */
  readonly labels: string;
  readonly startDelayMs: number;
  /** How much of the trace's unit one replica at full CPU does; "auto": the 99.9th percentile is 16 replicas. */
  readonly capacity: number | "auto";
  /** Names of {@link ANCHORS}. */
  readonly compare: readonly string[];
}

export interface BacktestReport {
  readonly trace: {
    readonly name: string;
    readonly samples: number;
    readonly stepSeconds: number;
    /** Places where samples are missing; the value before each is held. */
    readonly gaps: number;
    readonly missing: number;
  };
  readonly labels: string;
  readonly startDelaySeconds: number;
  readonly capacity: number;
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

/**
 * Replays a trace through the live decision with the policy of the labels, and through those it is compared with.
 *
 * @throws FlyballError CONFIG_INVALID, LABEL_INVALID
 */
export function backtest(request: BacktestRequest): Backtest {
  const policy = policyOfLabels(request.labels, MODEL_BOUNDS);
  const anchors = request.compare.map(anchorOf);
  const trace = parseTrace(request.trace.text, request.trace.name);
  const load = loadOf(trace, request.capacity);
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
    labels: request.labels,
    startDelaySeconds: request.startDelayMs / SECOND_MS,
    capacity: load.capacity,
    stepSeconds: load.stepMs / SECOND_MS,
    minReplicas,
    maxReplicas,
    scoredFromSeconds: (load.startMs + load.scoredFrom * load.stepMs) / SECOND_MS,
    policies: [scored(own), ...others],
  };
  return { report, series: () => seriesOf(own), plot: () => plotOf(own, trace.name) };
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
