import type { Rule, RuleVerdict, ScalingPolicy } from "../core/types.ts";

/** What was read for one rule over the replicas that serve: sums of levels, in the unit of the rule's metric. */
export interface RuleObservation {
  /** Replicas that gave a fresh reading; of a metric that is the service's as a whole, all that serve. */
  readonly read: number;
  /** Of their means over the policy's window. */
  readonly sum: number;
  /** Of their means over the window's last moments, where a jump shows first. */
  readonly burstSum: number;
  /** Of the higher one of the two. */
  readonly cautiousSum: number;
  /** Age of the oldest of their newest readings. */
  readonly ageMs: number;
  /** Share of the last moments in which they wanted CPU and did not get it, 0..1; absent where it cannot be read. */
  readonly heldBackRatio?: number;
  /** How far its last moments lie from its mean, as a share of it, on average; absent: not at all. */
  readonly noiseRatio?: number;
  /** What the load will have grown to when a replica that is ordered now serves, in what it is; absent: as it is. */
  readonly rampFactor?: number;
}

export interface Seats {
  readonly desired: number;
  readonly serving: number;
}

export interface Judgement {
  readonly rule: Rule;
  readonly verdict: RuleVerdict;
  /** The fewest replicas that the rule would be content with, at most `desired`. */
  readonly least: number;
  /** What the load as it is seen takes, free of limits: over the window, and at its worst; absent when unread. */
  readonly neededByMean?: number;
  readonly neededAtMost?: number;
  /** What the replicas carry in sum; each that is silent or on its way counted as busy to the threshold. */
  readonly cautiousDemand: number;
  /** The level above which a scale-in may not lead. */
  readonly ceiling: number;
}

/** With steps and no lower threshold, what remains must stay below this share of the upper one. */
const CALM_SHARE = 0.8;
/** With one, a step in may lead no higher than this share of the upper one, or it would soon be undone. */
const REBOUND_SHARE = 0.85;
/** A jump counts when it passes the upper threshold by this factor, or half of what is left to saturation. */
const BURST_FACTOR = 1.2;
/** Who follows a target comes as near to it as whole replicas can, and never further above it than this. */
const TOLERANCE = 1.1;
/** A scale-in to a target leaves room for so many times the usual noise, up to this share of the load. */
const NOISE_MARGINS = 3;
const MOST_NOISE_MARGIN = 0.15;
/** From this share of an enforced capacity on, what is wanted beyond it cannot be seen. */
export const SATURATED_SHARE = 0.97;
/** A scale-in may lead no nearer to an enforced capacity: full replicas hide what is wanted, and would be added to. */
const NEARLY_FULL = 0.95;
/** Replicas near the threshold that wait for CPU for this share of the time are saturated, whatever they get. */
const HELD_BACK_RATIO = 0.2;
const NEAR_SHARE = 0.9;
/** A load that fills its replicas all of a sudden has grown by this at least. */
const JUMP_FACTOR = 1.25;
/** What saturated replicas are taken to want, in what they get: too much is taken back once the load is seen. */
const HIDDEN_DEMAND_FACTOR = 2.5;
/** The same of replicas that are held back near the threshold; and by steps a saturated service grows by this. */
const SATURATED_GROWTH = 1.5;
/** A latency or an expression says that there is too little, and not how much: at most twice as many at once. */
const MOST_GROWTH_BY_LEVEL = 2;

/** What one rule makes of what was read for it. */
export function judge(
  rule: Rule,
  observation: RuleObservation,
  policy: ScalingPolicy,
  seats: Seats,
): Judgement {
  const { read, sum, burstSum, ageMs, rampFactor = 1 } = observation;
  const { desired, serving } = seats;
  const all = Math.max(serving, desired);
  const room = roomAfterScaleIn(rule, policy, observation.noiseRatio);
  const cautiousDemand = observation.cautiousSum * rampFactor + (all - read) * busyLevel(rule);
  const verdict: { -readonly [Key in keyof RuleVerdict]: RuleVerdict[Key] } = {
    metric: rule.metric,
    wants: "unknown",
    max: rule.max,
    replicasRead: read,
    replicasServing: serving,
  };
  if (rule.min !== undefined) verdict.min = rule.min;
  if (read === 0) return { rule, verdict, least: desired, cautiousDemand, ceiling: room.ceiling };

  const hiddenFactor = hiddenDemandFactor(rule, observation);
  const more = replicasForMore(rule, policy, observation, seats, hiddenFactor);
  const calm = more <= desired && isCalm(rule, policy, cautiousDemand, all, room);
  const least = calm ? Math.min(replicasFor(cautiousDemand, room), desired) : desired;
  const fewer = policy.kind === "target" ? least : Math.max(desired - policy.step, 1);
  verdict.wants = more > desired ? "out" : calm ? "in" : "hold";
  verdict.asksFor = more > desired ? more : calm ? fewer : desired;
  verdict.level = sum / read;
  verdict.burstLevel = burstSum / read;
  verdict.ageMs = ageMs;
  if (rampFactor > 1) verdict.risingTo = (sum * rampFactor) / read;
  if (hiddenFactor !== undefined) verdict.saturated = true;
  return {
    rule,
    verdict,
    least,
    // Each silent one is taken to carry what the others do: that it is silent must not pass for a need.
    neededByMean: nearest(((sum / read) * serving) / rule.max),
    neededAtMost: replicasFor(observation.cautiousSum, room) + serving - read,
    cautiousDemand,
    ceiling: room.ceiling,
  };
}

/** What a scale-in must respect, or it would soon be undone. */
interface Room {
  /** The level above which it may not lead. */
  readonly ceiling: number;
  /** Following a target: the level that is aimed at, with room for noise. */
  readonly target?: number;
}

function roomAfterScaleIn(rule: Rule, { kind }: ScalingPolicy, noiseRatio = 0): Room {
  if (kind === "step") return { ceiling: rule.max * (rule.min === undefined ? CALM_SHARE : REBOUND_SHARE) };
  const ceiling = rule.max * TOLERANCE;
  return {
    ceiling: rule.enforced === true ? Math.min(ceiling, NEARLY_FULL) : ceiling,
    target: rule.max / (1 + Math.min(NOISE_MARGINS * noiseRatio, MOST_NOISE_MARGIN)),
  };
}

/** The fewest replicas that carry the demand. */
function replicasFor(demand: number, { ceiling, target }: Room): number {
  return target === undefined ? Math.max(1, Math.ceil(demand / ceiling)) : nearest(demand / target);
}

/** The count that the rule wants when it wants more; else `desired` or less. */
function replicasForMore(
  rule: Rule,
  policy: ScalingPolicy,
  { read, sum, burstSum, rampFactor = 1 }: RuleObservation,
  { desired, serving }: Seats,
  hiddenFactor: number | undefined,
): number {
  // Those that are on their way will share what those that were read carry. The silent ones are left out of account.
  const silent = serving - read;
  const sharing = read + Math.max(desired - serving, 0);
  const jumped = burstSum / sharing > jumpLevel(rule);
  // A mean that the last moments do not bear out is of a time before new replicas took their share.
  const above = (Math.min(sum, burstSum) * rampFactor) / sharing > rule.max;
  // As much as those that serve may hide, and no more while others are on their way: one need is not met twice.
  const hiddenNeed = (burstSum * (hiddenFactor ?? 0)) / rule.max;
  const hidden =
    hiddenFactor === undefined
      ? desired
      : Math.min(nearest(hiddenNeed) + silent, nearest((hiddenNeed * serving) / read));
  if (policy.kind === "step") {
    const step = jumped || above ? desired + policy.step : desired;
    return hiddenFactor === undefined ? step : Math.max(step, Math.ceil(serving * SATURATED_GROWTH));
  }
  if (!jumped && !above) return Math.max(hidden, desired);
  const demand = (jumped ? Math.max(sum, burstSum) : sum) * rampFactor;
  const wanted = Math.max(nearest(demand / rule.max) + silent, hidden);
  return isShared(rule) ? wanted : Math.min(wanted, desired * MOST_GROWTH_BY_LEVEL);
}

function isCalm(rule: Rule, policy: ScalingPolicy, demand: number, seats: number, room: Room): boolean {
  if (rule.min !== undefined && demand / seats >= rule.min) return false;
  if (policy.kind === "target") return replicasFor(demand, room) < seats;
  return rule.min !== undefined || (seats > 1 && demand / (seats - 1) < CALM_SHARE * rule.max);
}

/** The whole number of replicas that comes nearest to the target without passing it by more than the tolerance. */
function nearest(replicas: number): number {
  return Math.max(1, Math.round(replicas), Math.ceil(replicas / TOLERANCE));
}

function jumpLevel(rule: Rule): number {
  const clear = rule.max * BURST_FACTOR;
  const halfWayToFull = (rule.max + 1) / 2;
  return isShareOfCapacity(rule) && rule.max < 1 ? Math.min(clear, halfWayToFull) : clear;
}

/** What saturated replicas are taken to want, in what they get; undefined when all that is wanted is seen. */
function hiddenDemandFactor(
  rule: Rule,
  { read, sum, burstSum, heldBackRatio = 0 }: RuleObservation,
): number | undefined {
  if (rule.metric !== "cpu") return undefined;
  const full = SATURATED_SHARE * read;
  // A load that was near to full before and touches it is seen well enough by what it does.
  const jumped = burstSum >= full && burstSum >= JUMP_FACTOR * sum;
  if (rule.enforced === true && (jumped || Math.min(sum, burstSum) >= full)) return HIDDEN_DEMAND_FACTOR;
  const heldBack = heldBackRatio >= HELD_BACK_RATIO && sum / read >= NEAR_SHARE * rule.max;
  return heldBack ? SATURATED_GROWTH : undefined;
}

/** The level that a replica of which nothing is known counts with. */
function busyLevel(rule: Rule): number {
  return isShareOfCapacity(rule) ? Math.min(rule.max, 1) : rule.max;
}

function isShareOfCapacity({ metric }: Rule): boolean {
  return metric === "cpu" || metric === "memory";
}

/** Twice the replicas halve its level. */
export function isShared({ metric }: Rule): boolean {
  return metric === "cpu" || metric === "memory" || metric === "rps";
}
