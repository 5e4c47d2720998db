import { formatDuration, formatPercent, SECOND_MS } from "../../core/units.ts";
import { comparison } from "./proportions.ts";

/**
 * A new template beside the one before, until somebody promotes or aborts it. Plain data on its rollout, so that a
 * daemon that was killed goes on where it was.
 */
export interface Trial {
  /** `canary`: some of the wanted replicas are new · `blue-green`: a full second set stands beside the first. */
  readonly kind: "canary" | "blue-green";
  /** Share of the requests that go to the new template; below 1 for a canary, which shares the replicas too. */
  readonly weightRatio: number;
  /** The weights that follow by themselves when all is well; after the last the template is promoted. */
  readonly nextRatios: readonly number[];
  /** How long each weight is watched; absent: a person promotes it. */
  readonly stepMs?: number;
}

/** What is asked for of a deployment. */
export interface TrialRequest {
  readonly kind: Trial["kind"];
  /** Of a canary: the first weight. A blue-green begins without requests. */
  readonly weightRatio?: number;
  /** Ascending, above 0 and below 1. */
  readonly stepRatios?: readonly number[];
  readonly stepMs?: number;
}

/** What the balancer counted for the replicas of one template while a weight was in force. */
export interface Colour {
  readonly requests: number;
  readonly errors: number;
  /** At p95: the mean of the readings, by their requests. Absent: nothing was read. */
  readonly latencyMs?: number;
}

export interface Readings {
  readonly old: Colour;
  readonly fresh: Colour;
  /** Since when all new replicas that the weight asks for have proven healthy; absent: they have not. */
  readonly readySinceMs?: number;
}

export type Verdict =
  | { readonly kind: "stay"; readonly missing: string }
  | { readonly kind: "next"; readonly trial: Trial }
  | { readonly kind: "promote" }
  | { readonly kind: "abort"; readonly reason: string };

const DEFAULT_CANARY_RATIO = 0.1;
const DEFAULT_STEP_MS = 60 * SECOND_MS;
/** It would be a difference that people notice. */
const SLOWER_BY_MS = 100;
const SLOWER_TIMES = 2;
/** So few tell nothing about a p95. */
const REQUESTS_FOR_LATENCY = 100;
/** More than it was, in the worst case that the requests so far leave open. */
const TOLERATED_ERROR_RATIO = 0.03;

export function beginTrial({ kind, weightRatio, stepRatios = [], stepMs }: TrialRequest): Trial {
  const [first = DEFAULT_CANARY_RATIO, ...rest] =
    weightRatio === undefined
      ? stepRatios
      : [weightRatio, ...stepRatios.filter((step) => step > weightRatio)];
  const goesOn = stepRatios.length > 0 ? { stepMs: stepMs ?? DEFAULT_STEP_MS } : {};
  if (kind === "canary") return { kind, weightRatio: first, nextRatios: rest, ...goesOn };
  return { kind, weightRatio: 0, nextRatios: stepRatios, ...goesOn };
}

/** How many replicas of each template there are to be: the capacity goes with the weight. */
export function coloursOf(
  { kind, weightRatio }: Pick<Trial, "kind" | "weightRatio">,
  wanted: number,
): { readonly fresh: number; readonly old: number } {
  if (kind === "blue-green" || wanted === 0) return { fresh: wanted, old: wanted };
  // A fifth of five is one, and not two because of the last digit of a fraction.
  const fresh = Math.min(wanted, Math.max(1, Math.ceil(weightRatio * wanted - 1e-9)));
  return { fresh, old: Math.max(1, wanted - fresh) };
}

/** What the readings allow. Nothing that was not read speaks for the new template. */
export function judge(trial: Trial, readings: Readings, nowMs: number): Verdict {
  const { old, fresh, readySinceMs } = readings;
  const trouble = troubleOf(old, fresh);
  if (trouble !== undefined) return { kind: "abort", reason: trouble };
  const stay = (missing: string): Verdict => ({ kind: "stay", missing });
  if (readySinceMs === undefined) return stay("its replicas to prove healthy");
  if (trial.stepMs === undefined) return stay("somebody to promote or abort it");
  // Without requests there is nothing to see, and no time in which it could be seen.
  if (trial.weightRatio > 0) {
    const restMs = trial.stepMs - (nowMs - readySinceMs);
    if (restMs > 0) return stay(`${formatDuration(restMs)} more at this weight`);
    const missing = missingEvidence(old, fresh);
    if (missing !== undefined) return stay(missing);
  }
  const [weightRatio, ...nextRatios] = trial.nextRatios;
  if (weightRatio === undefined) return { kind: "promote" };
  return { kind: "next", trial: { ...trial, weightRatio, nextRatios } };
}

function troubleOf(old: Colour, fresh: Colour): string | undefined {
  if (fresh.requests === 0) return undefined;
  const { leastMore } = comparison(fresh, old);
  if (leastMore > 0) {
    return `${failuresText(fresh)} of its requests failed, and ${failuresText(old)} of the others`;
  }
  if (!tellsLatency(old) || !tellsLatency(fresh)) return undefined;
  const limitMs = Math.max(old.latencyMs * SLOWER_TIMES, old.latencyMs + SLOWER_BY_MS);
  if (fresh.latencyMs <= limitMs) return undefined;
  return `its requests take ${Math.round(fresh.latencyMs)} ms at p95, and the others ${Math.round(old.latencyMs)} ms`;
}

function missingEvidence(old: Colour, fresh: Colour): string | undefined {
  if (fresh.requests === 0 || old.requests === 0) {
    return `requests: ${fresh.requests} were counted at the new template and ${old.requests} at the old one`;
  }
  const { mostMore } = comparison(fresh, old);
  if (mostMore > TOLERATED_ERROR_RATIO) {
    return `more requests: after ${fresh.requests}, up to ${formatPercent(mostMore)} more of them may fail than before`;
  }
  if (!tellsLatency(old) || !tellsLatency(fresh)) return "enough requests to tell how long they take";
  return undefined;
}

function tellsLatency(colour: Colour): colour is Colour & { readonly latencyMs: number } {
  return colour.latencyMs !== undefined && colour.requests >= REQUESTS_FOR_LATENCY;
}

function failuresText({ errors, requests }: Colour): string {
  return `${errors} of ${requests}`;
}
