import type {
  AppliedLimit,
  Evaluation,
  Rule,
  RuleMetric,
  RuleVerdict,
  ScalingPolicy,
  ServiceId,
} from "../core/types.ts";
import { type NeedHistory, needed, recordNeed, remainingNeed, startNeedHistory } from "./need-history.ts";

/** What one replica used, in the unit of the rule's capacity: cores or bytes. */
export interface Use {
  /** Mean over the policy's window. */
  readonly mean: number;
  /** Mean over the window's last moments, where a jump shows first. */
  readonly burst?: number;
  readonly newestAtMs: number;
}

/** A replica that serves, with what was read of it; a metric that was not read is absent. */
export type ServingReplica = { readonly [Metric in RuleMetric]?: Use };

export interface ScalingInput {
  readonly nowMs: number;
  readonly service: ServiceId;
  readonly policy: ScalingPolicy;
  /** The desired count before this evaluation. */
  readonly desired: number;
  readonly serving: readonly ServingReplica[];
  /** The service cannot have more than one replica. */
  readonly single: boolean;
  /** What the evaluation before returned; absent at the first one. */
  readonly memory?: ScalingMemory;
}

/** What one evaluation leaves for the next. */
export interface ScalingMemory {
  readonly lastOutAtMs?: number;
  readonly lastInAtMs?: number;
  readonly need: NeedHistory;
}

export interface ScalingOutput {
  readonly evaluation: Evaluation;
  readonly memory: ScalingMemory;
}

/** A reading older than this says nothing about now: five samples missed. */
export const STALE_AFTER_MS = 5_000;
/** Without a lower threshold, what remains must stay below this share of the upper one. */
export const CALM_SHARE = 0.8;
/** With one, a scale-in may lead no higher than this share of the upper one, or it would soon be undone. */
export const REBOUND_SHARE = 0.85;
/** A jump counts when it passes the upper threshold by this factor, or half of what is left to saturation. */
const BURST_FACTOR = 1.2;

/**
 * How many replicas the service should have: rules first, then the limits in a fixed order, each of which is
 * recorded when it changes the count. Out if any rule asks; in only if all rules agree.
 *
 * Replicas that were ordered and do not serve yet count as capacity to come, so that one need is not met twice and a
 * service whose replicas never start is not pushed ever upward. A serving replica that gave no reading is left out of
 * account for scaling out. For scaling in, both count as busy to the threshold. So they can stop neither, and cause
 * neither.
 */
export function decide(input: ScalingInput): ScalingOutput {
  const { nowMs, policy, desired } = input;
  const previous = memoryFor(input);
  const readings = policy.rules.map((rule) => readRule(rule, input));
  const verdicts = readings.map((reading) => reading.verdict);

  const anyOut = verdicts.some((verdict) => verdict.wants === "out");
  const someIn = verdicts.some((verdict) => verdict.wants === "in");
  const allIn = someIn && verdicts.every((verdict) => verdict.wants === "in");
  const blind = verdicts.some((verdict) => verdict.wants === "unknown");
  const onlyBlindnessHolds =
    someIn && blind && verdicts.every((v) => v.wants === "in" || v.wants === "unknown");

  let wanted = desired;
  if (anyOut) wanted = desired + policy.step;
  else if (allIn || onlyBlindnessHolds) wanted = Math.max(desired - policy.step, 1);

  const need = recordNeed(
    previous.need,
    nowMs,
    allIn ? leastOf(readings, desired) : Math.max(wanted, desired),
  );
  const limits: AppliedLimit[] = [];
  let to = wanted;
  const limit = (name: AppliedLimit["limit"], count: number, detail?: Partial<AppliedLimit>) => {
    if (count === to) return;
    limits.push({ limit: name, from: to, to: count, ...detail });
    to = count;
  };

  const bounded = (count: number) => Math.min(Math.max(count, policy.minReplicas), policy.maxReplicas);
  // What the bounds forbid no time will allow, so they come first, and nobody is told to wait.
  if (bounded(desired) === desired) limit("bounds", bounded(to));
  if (to > desired) {
    const remainingMs = remaining(previous.lastOutAtMs, policy.cooldownMs, nowMs);
    if (remainingMs > 0) limit("cooldown", desired, { remainingMs });
  } else if (to < desired) {
    if (blind) limit("data", desired);
    const settlingMs = Math.max(
      remaining(previous.lastOutAtMs, policy.windowMs, nowMs),
      remaining(previous.lastInAtMs, policy.windowMs, nowMs),
    );
    if (settlingMs > 0) limit("settling", desired, { remainingMs: settlingMs });
    // Before the stabilization window, which remembers what the guard asks for: only one of the two passes with time.
    const guarded = guardRebound(readings, to, desired);
    if (guarded.to > to) limit("rebound guard", guarded.to, { ratio: guarded.ratio });
    const most = Math.min(needed(need), desired);
    if (most > to) limit("stabilization", most, { remainingMs: remainingNeed(need, nowMs, to) });
  }
  limit("bounds", bounded(to));
  if (input.single) limit("single replica", Math.min(to, 1));
  if (policy.dryRun) limit("dry run", desired);

  const lastOutAtMs = to > desired ? nowMs : previous.lastOutAtMs;
  const lastInAtMs = to < desired ? nowMs : previous.lastInAtMs;
  return {
    evaluation: { service: input.service, atMs: nowMs, from: desired, wanted, to, verdicts, limits },
    memory: {
      need,
      ...(lastOutAtMs === undefined ? {} : { lastOutAtMs }),
      ...(lastInAtMs === undefined ? {} : { lastInAtMs }),
    },
  };
}

/** A policy whose stabilization window was changed starts to remember anew. */
function memoryFor({ memory, policy, nowMs, desired }: ScalingInput): ScalingMemory {
  if (memory?.need.windowMs === policy.stabilizationMs) return memory;
  return { ...memory, need: startNeedHistory(nowMs, desired, policy.stabilizationMs) };
}

interface RuleReading {
  readonly rule: Rule;
  readonly verdict: RuleVerdict;
  /** Replicas' worth of use, each replica that is silent or on its way counted as busy to the threshold. */
  readonly cautiousDemand: number;
}

function readRule(rule: Rule, input: ScalingInput): RuleReading {
  const { nowMs, serving, desired } = input;
  let read = 0;
  let sum = 0;
  let burstSum = 0;
  let cautiousSum = 0;
  let ageMs = 0;
  for (const replica of serving) {
    const use = replica[rule.metric];
    if (use === undefined || !(nowMs - use.newestAtMs <= STALE_AFTER_MS) || !Number.isFinite(use.mean))
      continue;
    const burst = Number.isFinite(use.burst) ? (use.burst ?? use.mean) : use.mean;
    read += 1;
    sum += use.mean;
    burstSum += burst;
    cautiousSum += Math.max(use.mean, burst);
    ageMs = Math.max(ageMs, nowMs - use.newestAtMs);
  }
  const maxRatio = rule.maxRatio ?? Number.POSITIVE_INFINITY;
  const seats = Math.max(serving.length, desired);
  const cautiousDemand = cautiousSum / rule.capacity + (seats - read) * Math.min(maxRatio, 1);
  const onTheirWay = seats - serving.length;
  const sharedCapacity = (read + onTheirWay) * rule.capacity;

  let wants: RuleVerdict["wants"] = "hold";
  if (read === 0) wants = "unknown";
  else if (isAbove(sum / sharedCapacity, burstSum / sharedCapacity, maxRatio)) wants = "out";
  else if (isCalm(rule, cautiousDemand, seats)) wants = "in";
  const verdict: RuleVerdict = {
    metric: rule.metric,
    wants,
    ...(rule.maxRatio === undefined ? {} : { maxRatio: rule.maxRatio }),
    ...(rule.minRatio === undefined ? {} : { minRatio: rule.minRatio }),
    ...(read === 0
      ? {}
      : { ratio: sum / (read * rule.capacity), burstRatio: burstSum / (read * rule.capacity), ageMs }),
    replicasRead: read,
    replicasServing: serving.length,
  };
  return { rule, verdict, cautiousDemand };
}

function isAbove(ratio: number, burstRatio: number, maxRatio: number): boolean {
  // A mean that the last moments do not bear out is of a time before new replicas took their share.
  if (ratio > maxRatio && burstRatio > maxRatio) return true;
  const halfWayToFull = maxRatio < 1 ? (maxRatio + 1) / 2 : Number.POSITIVE_INFINITY;
  return burstRatio > Math.min(maxRatio * BURST_FACTOR, halfWayToFull);
}

function isCalm(rule: Rule, demand: number, seats: number): boolean {
  if (rule.minRatio !== undefined) return demand / seats < rule.minRatio;
  const maxRatio = rule.maxRatio ?? Number.POSITIVE_INFINITY;
  return seats > 1 && demand / (seats - 1) < CALM_SHARE * maxRatio;
}

/** The fewest replicas that every rule would be content with now, and at most `desired`. */
function leastOf(readings: readonly RuleReading[], desired: number): number {
  let least = 1;
  for (const reading of readings) {
    const atMost = ceilingAfterScaleIn(reading.rule);
    least = Math.max(least, Math.ceil(reading.cautiousDemand / atMost));
  }
  return Math.min(least, desired);
}

/** Raises `to` until no rule would ask to scale out again; with the highest ratio that would have done so. */
function guardRebound(
  readings: readonly RuleReading[],
  to: number,
  desired: number,
): { to: number; ratio: number } {
  let guarded = to;
  let ratio = 0;
  for (const { rule, cautiousDemand } of readings) {
    const ceiling = ceilingAfterScaleIn(rule);
    if (cautiousDemand / to > ceiling) ratio = Math.max(ratio, cautiousDemand / to);
    while (guarded < desired && cautiousDemand / guarded > ceiling) guarded += 1;
  }
  return { to: guarded, ratio };
}

function ceilingAfterScaleIn(rule: Rule): number {
  const share = rule.minRatio === undefined ? CALM_SHARE : REBOUND_SHARE;
  return share * (rule.maxRatio ?? Number.POSITIVE_INFINITY);
}

function remaining(sinceMs: number | undefined, durationMs: number, nowMs: number): number {
  // A clock that was set back must not hold a service for longer than the limit itself.
  if (sinceMs === undefined || nowMs < sinceMs) return 0;
  return Math.max(0, sinceMs + durationMs - nowMs);
}
