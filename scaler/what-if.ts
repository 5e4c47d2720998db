import type { LimitName, RuleMetric } from "../core/types.ts";
import { decide, type ScalingInput, type ScalingOutput } from "./decide.ts";
import type { RuleObservation } from "./rules.ts";

/** Another result, and what it takes. */
export interface Alternative {
  readonly to: number;
  /** What is read of these would have to change by that factor, to beyond these levels. */
  readonly factor: number;
  readonly levels: readonly { readonly metric: RuleMetric; readonly level: number }[];
  /** How long it would have to last. */
  readonly afterMs: number;
}

export interface WhatIf {
  /** What time alone brings, when everything stays as it is. */
  readonly later?: { readonly to: number; readonly afterMs: number };
  /** For each rule that would ask for more: out if any asks. */
  readonly more: readonly Alternative[];
  /** In only if all agree. */
  readonly fewer?: Alternative;
  /** What keeps it from more, or from fewer, whatever is read. */
  readonly mostBecause?: LimitName;
  readonly leastBecause?: LimitName;
}

/** Levels are looked at up to this many times the threshold. */
const FARTHEST = 20;
/** And down to this share of what they are. */
const NEAREST_TO_NOTHING = 1e-3;
const PRECISION = 1.00001;
const MOST_STEPS = 200;

/**
 * What would have to change for another result, found by asking `decide` itself: with one rule's readings raised until
 * the count grows, and with all that stand against fewer lowered until it shrinks. A result that no reading changes at
 * once is waited for: for as long as there are limits that pass with time.
 */
export function whatIf(recorded: ScalingInput): WhatIf {
  // Who only watches wants to know what would be done.
  const input = recorded.policy.dryRun
    ? { ...recorded, policy: { ...recorded.policy, dryRun: false } }
    : recorded;
  const now = decide(input).evaluation;
  const changes = now.to !== now.from;
  const outcomeOf = (situation: ScalingInput): Outcome =>
    changes ? { to: decide(situation).evaluation.to, afterMs: 0 } : firstChange(situation);
  const everyRule = input.policy.rules.map((_, index) => index);
  const later = changes ? undefined : outcomeOf(input);

  const grows = later !== undefined && later.to > now.to;
  const shrinks = later !== undefined && later.to < now.to;
  const more = everyRule.flatMap((rule) => {
    if (grows) return [];
    const found = search(withSomething(input, rule), [rule], outcomeOf, (to) => to > now.to, "up");
    return found === undefined ? [] : [found];
  });
  const against = everyRule.filter((rule) => now.verdicts[rule]?.wants !== "in");
  const lowered = against.length === 0 ? everyRule : against;
  const fewer = shrinks ? undefined : search(input, lowered, outcomeOf, (to) => to < now.to, "down");
  const highest = grows || more.length > 0 ? undefined : lastLimit(input, FARTHEST);
  // A floor is no ceiling.
  const mostBecause = highest === "forecast" ? undefined : highest;
  const leastBecause = shrinks || fewer !== undefined ? undefined : lastLimit(input, NEAREST_TO_NOTHING);
  return {
    ...(later === undefined || later.to === now.to ? {} : { later }),
    more,
    ...(fewer === undefined ? {} : { fewer }),
    ...(mostBecause === undefined ? {} : { mostBecause }),
    ...(leastBecause === undefined ? {} : { leastBecause }),
  };
}

type Outcome = { readonly to: number; readonly afterMs: number };

/** More load never means fewer replicas, so there is one place where the result turns: it is searched by halves. */
function search(
  input: ScalingInput,
  rules: readonly number[],
  outcomeOf: (situation: ScalingInput) => Outcome,
  isOther: (to: number) => boolean,
  direction: "up" | "down",
): Alternative | undefined {
  const changedBy = (factor: number) =>
    scaled(
      input,
      input.policy.rules.map((_, rule) => (rules.includes(rule) ? factor : 1)),
    );
  const levelOf = (rule: number) => {
    const { read = 0, sum = 0 } = input.observations[rule] ?? {};
    return read === 0 ? 0 : sum / read;
  };
  const farthest = (rule: number) => (FARTHEST * (input.policy.rules[rule]?.max ?? 0)) / levelOf(rule);
  let same = 1;
  let other = direction === "down" ? NEAREST_TO_NOTHING : Math.max(1, ...rules.map(farthest));
  if (!Number.isFinite(other) || !isOther(outcomeOf(changedBy(other)).to)) return undefined;
  while (Math.max(other / same, same / other) > PRECISION) {
    const between = Math.sqrt(same * other);
    if (isOther(outcomeOf(changedBy(between)).to)) other = between;
    else same = between;
  }
  const { to, afterMs } = outcomeOf(changedBy(other));
  const { verdicts } = decide(changedBy(other)).evaluation;
  const levels = rules.flatMap((rule) => {
    const verdict = verdicts[rule];
    if (verdict === undefined) return [];
    const { metric, max, level = 0, burstLevel = level, wants } = verdict;
    const hasJumped = wants === "out" && level <= max && burstLevel > level;
    return [{ metric, level: (hasJumped ? burstLevel : level) * (same / other) }];
  });
  return { to, afterMs, factor: other, levels };
}

/** The readings of each rule, changed by its factor. A replica that is held to its capacity is never read above it. */
function scaled(input: ScalingInput, factors: readonly number[]): ScalingInput {
  const observations = input.observations.map((observation, rule): RuleObservation => {
    const factor = factors[rule] ?? 1;
    const isHeld = input.policy.rules[rule]?.enforced === true;
    const changed = (sum: number) =>
      isHeld ? Math.min(sum * factor, Math.max(sum, observation.read)) : sum * factor;
    const { sum, burstSum, cautiousSum } = observation;
    return {
      ...observation,
      sum: changed(sum),
      burstSum: changed(burstSum),
      cautiousSum: changed(cautiousSum),
    };
  });
  return { ...input, observations };
}

/** Where next to nothing is used, no factor makes it more: a little of the threshold is taken to be used. */
function withSomething(input: ScalingInput, rule: number): ScalingInput {
  const observations = input.observations.map((observation, index) => {
    const least = NEAREST_TO_NOTHING * observation.read * (input.policy.rules[rule]?.max ?? 0);
    if (index !== rule || observation.sum >= least) return observation;
    const atLeast = (sum: number) => Math.max(sum, least);
    const { sum, burstSum, cautiousSum } = observation;
    return {
      ...observation,
      ...{ sum: atLeast(sum), burstSum: atLeast(burstSum), cautiousSum: atLeast(cautiousSum) },
    };
  });
  return { ...input, observations };
}

/** Decides again and again while time passes and what is read stays the same, until the count changes. */
function firstChange(input: ScalingInput): Outcome {
  let current = input;
  let output = decide(current);
  for (let step = 0; step < MOST_STEPS; step += 1) {
    const { evaluation, memory } = output;
    const waitMs = shortestWait(output);
    if (evaluation.to !== evaluation.from || waitMs === undefined) break;
    current = { ...current, nowMs: current.nowMs + waitMs, memory };
    output = decide(current);
  }
  return { to: output.evaluation.to, afterMs: current.nowMs - input.nowMs };
}

/** Until the first limit may have passed, in steps in which no part of what is remembered goes unseen. */
function shortestWait({ evaluation, memory }: ScalingOutput): number | undefined {
  const waits = evaluation.limits.flatMap(({ remainingMs }) => remainingMs ?? []);
  if (waits.length === 0) return undefined;
  const windowMs = memory.need.windowMs;
  const partMs = windowMs > 0 ? windowMs / 10 : Number.POSITIVE_INFINITY;
  return Math.max(1, Math.ceil(Math.min(...waits, partMs)));
}

/** The last that holds the count when every rule reads so many times its threshold, or of what it does. */
function lastLimit(input: ScalingInput, factor: number): LimitName | undefined {
  const extreme = scaled(
    input,
    input.policy.rules.map(() => factor),
  );
  return decide(extreme).evaluation.limits.at(-1)?.limit;
}
