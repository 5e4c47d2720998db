import type {
  AppliedLimit,
  Evaluation,
  LimitName,
  RuleMetric,
  ScalingPolicy,
  ServiceId,
} from "../core/types.ts";
import { HOUR_MS, SECOND_MS } from "../core/units.ts";
import type { Activity } from "./idleness.ts";
import { type NeedHistory, needed, recordNeed, remainingNeed, startNeedHistory } from "./need-history.ts";
import { type Judgement, judge, type RuleObservation } from "./rules.ts";

export interface ScalingInput {
  readonly nowMs: number;
  readonly service: ServiceId;
  readonly policy: ScalingPolicy;
  /** The desired count before this evaluation. */
  readonly desired: number;
  /** Replicas that serve. */
  readonly serving: number;
  /** What was read for each rule of the policy, in its order. */
  readonly observations: readonly RuleObservation[];
  /** The service cannot have more than one replica. */
  readonly single: boolean;
  /** Some that were ordered find no room: what one needs, and what is free. Absent: all have found theirs. */
  readonly noRoom?: string;
  /** Whether anybody uses the service; absent: it always has a replica, or nobody knows. */
  readonly activity?: Activity;
  /** In place of the policy's bounds, by the schedule. */
  readonly bounds?: ScheduledBounds;
  /** As many are needed again and again; absent until that is learned. */
  readonly oftenNeeded?: OftenNeeded;
  /** What the service's own history expects, and from when on; absent when it says nothing. */
  readonly forecast?: { readonly replicas: number; readonly forMs?: number };
  /** What the evaluation before returned; absent at the first one. */
  readonly memory?: ScalingMemory;
}

export interface ScheduledBounds {
  readonly minReplicas: number;
  readonly maxReplicas: number;
  /** The cron line that set them. */
  readonly schedule: string;
}

export interface OftenNeeded {
  readonly replicas: number;
  /** How long, on average, it is until the last one of them is needed again. */
  readonly gapMs: number;
}

/** What one evaluation leaves for the next. */
export interface ScalingMemory {
  readonly lastOutAtMs?: number;
  readonly lastInAtMs?: number;
  readonly need: NeedHistory;
  /** When the scale-ins of the last hour were made, the newest last. Absent without a budget. */
  readonly scaleInsAtMs?: readonly number[];
}

export interface ScalingOutput {
  readonly evaluation: Evaluation;
  readonly memory: ScalingMemory;
  /** What the load as it is seen takes, free of limits; absent when a rule had no reading. */
  readonly neededNow?: number;
}

/** What a policy without a stabilization window of its own has until the service's load is known, and then. */
const UNLEARNED_STABILIZATION_MS = 300 * SECOND_MS;
const LEARNED_STABILIZATION_MS = 30 * SECOND_MS;

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
  const { nowMs, policy, desired, observations } = input;
  const previous = memoryFor(input);
  const judgements = policy.rules.map((rule, index) =>
    judge(rule, observations[index] ?? UNREAD, policy, input),
  );
  const verdicts = judgements.map((judgement) => judgement.verdict);
  const wanted = whatTheRulesWant(judgements, desired);
  const need = recordNeed(previous.need, nowMs, neededCount(judgements, policy, wanted, desired));

  const limits: AppliedLimit[] = [];
  let to = wanted;
  const limit = (name: LimitName, count: number, detail?: Partial<AppliedLimit>) => {
    if (count === to) return;
    limits.push({ limit: name, from: to, to: count, ...detail });
    to = count;
  };

  const { minReplicas, maxReplicas } = input.bounds ?? policy;
  const bySchedule = input.bounds === undefined ? {} : { schedule: input.bounds.schedule };
  const bounded = (count: number) => Math.min(Math.max(count, minReplicas), maxReplicas);
  // What the bounds forbid no time will allow, so they come first, and nobody is told to wait.
  if (bounded(desired) === desired) limit("bounds", bounded(to), bySchedule);
  const scaleInsAtMs = ofTheLastHour(previous.scaleInsAtMs, policy, nowMs);
  if (to < desired) limitScaleIn();
  // Rules leave one. Whoever may sleep and is used by nobody needs no window: the idle time was one.
  const maySleep = policy.idleMs !== undefined && minReplicas === 0;
  if (maySleep && input.activity === "idle") limit("idle", 0);
  // A forecast only ever raises: after everything that holds a scale-in back, and before what holds a scale-out.
  if (input.forecast !== undefined) limit("forecast", Math.max(to, bounded(input.forecast.replicas)));
  if (to > desired) {
    const remainingMs = remaining(previous.lastOutAtMs, policy.cooldownMs, nowMs);
    if (remainingMs > 0) limit("cooldown", desired, { remainingMs });
    // Asking for more brings none; as soon as there is room, those that were ordered take it.
    if (input.noRoom !== undefined) limit("capacity", Math.min(to, desired), { lack: input.noRoom });
  }
  // Somebody is held up: that waits for no cooldown.
  if (maySleep && input.activity === "waiting") limit("woken", Math.max(to, 1));
  limit("bounds", bounded(to), bySchedule);
  if (input.single) limit("single replica", Math.min(to, 1));
  if (policy.dryRun) limit("dry run", desired);

  const neededNow = neededByMean(judgements);
  const evaluation = { service: input.service, atMs: nowMs, from: desired, wanted, to, verdicts, limits };
  const memory: { -readonly [Key in keyof ScalingMemory]: ScalingMemory[Key] } = { need };
  const lastOutAtMs = to > desired ? nowMs : previous.lastOutAtMs;
  const lastInAtMs = to < desired ? nowMs : previous.lastInAtMs;
  if (lastOutAtMs !== undefined) memory.lastOutAtMs = lastOutAtMs;
  if (lastInAtMs !== undefined) memory.lastInAtMs = lastInAtMs;
  if (scaleInsAtMs !== undefined)
    memory.scaleInsAtMs = to < desired ? [...scaleInsAtMs, nowMs] : scaleInsAtMs;
  return neededNow === undefined ? { evaluation, memory } : { evaluation, memory, neededNow };

  function limitScaleIn(): void {
    if (verdicts.some((verdict) => verdict.wants === "unknown")) limit("data", desired);
    const settlingMs = Math.max(
      remaining(previous.lastOutAtMs, policy.windowMs, nowMs),
      remaining(previous.lastInAtMs, policy.windowMs, nowMs),
    );
    if (settlingMs > 0) limit("settling", desired, { remainingMs: settlingMs });
    // Before the stabilization window, which remembers what the guard asks for: only one of the two passes with time.
    const guarded = guardRebound(judgements, to, desired);
    limit("rebound guard", guarded.to, guarded.because);
    if (input.oftenNeeded !== undefined && policy.stabilizationMs === undefined) {
      const { replicas, gapMs } = input.oftenNeeded;
      limit("often needed", Math.max(to, Math.min(replicas, desired)), { gapMs });
    }
    const most = Math.min(needed(need), desired);
    if (most > to) limit("stabilization", most, { remainingMs: remainingNeed(need, nowMs, to) });
    const { scaleInsPerHour } = policy;
    if (scaleInsPerHour === undefined || scaleInsAtMs === undefined) return;
    // The one that has to be an hour ago before there may be another.
    const oldestAtMs = scaleInsAtMs.at(-scaleInsPerHour);
    if (to < desired && oldestAtMs !== undefined) {
      limit("scale-in budget", desired, { remainingMs: remaining(oldestAtMs, HOUR_MS, nowMs) });
    }
  }
}

const UNREAD: RuleObservation = { read: 0, sum: 0, burstSum: 0, cautiousSum: 0, ageMs: 0 };

/** Out if any rule asks, as far as the furthest; in if all that know anything agree, as far as the most cautious. */
function whatTheRulesWant(judgements: readonly Judgement[], desired: number): number {
  let out = desired;
  let fewest = 1;
  let inward = false;
  let held = false;
  for (const { verdict } of judgements) {
    if (verdict.wants === "unknown") continue;
    const asksFor = verdict.asksFor ?? desired;
    if (verdict.wants === "out") out = Math.max(out, asksFor);
    else if (verdict.wants === "in") {
      inward = true;
      fewest = Math.max(fewest, asksFor);
    } else held = true;
  }
  if (out > desired) return out;
  return inward && !held ? Math.min(fewest, desired) : desired;
}

/** How long a scale-in must have been wanted without a break. */
export function stabilizationMs({ policy, oftenNeeded }: ScalingInput): number {
  if (policy.stabilizationMs !== undefined) return policy.stabilizationMs;
  return oftenNeeded === undefined ? UNLEARNED_STABILIZATION_MS : LEARNED_STABILIZATION_MS;
}

/** A policy whose stabilization window was changed starts to remember anew. */
function memoryFor(input: ScalingInput): ScalingMemory {
  const { memory, nowMs, desired } = input;
  const windowMs = stabilizationMs(input);
  if (memory?.need.windowMs === windowMs) return memory;
  return { ...memory, need: startNeedHistory(nowMs, desired, windowMs) };
}

function ofTheLastHour(
  scaleInsAtMs: readonly number[] | undefined,
  { scaleInsPerHour }: ScalingPolicy,
  nowMs: number,
): readonly number[] | undefined {
  if (scaleInsPerHour === undefined) return undefined;
  // What a clock that was set back has yet to come to is forgotten, or the budget could stay used up for long.
  return scaleInsAtMs?.filter((atMs) => atMs <= nowMs && nowMs - atMs < HOUR_MS) ?? [];
}

/** Raises `to` until no rule would ask to scale out again; with the highest level that would have done so. */
function guardRebound(
  judgements: readonly Judgement[],
  to: number,
  desired: number,
): { to: number; because: { level: number; metric: RuleMetric } | undefined } {
  let guarded = to;
  let because: { level: number; metric: RuleMetric } | undefined;
  for (const { rule, cautiousDemand, ceiling } of judgements) {
    const level = cautiousDemand / to;
    if (level > ceiling && level > (because?.level ?? 0)) because = { level, metric: rule.metric };
    while (guarded < desired && cautiousDemand / guarded > ceiling) guarded += 1;
  }
  return { to: guarded, because };
}

/** What the stabilization window remembers. */
function neededCount(
  judgements: readonly Judgement[],
  { kind }: ScalingPolicy,
  wanted: number,
  desired: number,
): number {
  let most = 1;
  for (const { least, neededAtMost } of judgements) {
    // To a target: what the load was seen to take, and not what saturation was taken to hide.
    const count = kind === "target" ? (neededAtMost ?? desired) : least;
    most = Math.max(most, count);
  }
  return kind === "target" || wanted < desired ? most : Math.max(wanted, desired);
}

/** Undefined when a rule had no reading: what it would take is not known. */
function neededByMean(judgements: readonly Judgement[]): number | undefined {
  let most = 1;
  for (const judgement of judgements) {
    if (judgement.neededByMean === undefined) return undefined;
    most = Math.max(most, judgement.neededByMean);
  }
  return most;
}

function remaining(sinceMs: number | undefined, durationMs: number, nowMs: number): number {
  // A clock that was set back must not hold a service for longer than the limit itself.
  if (sinceMs === undefined || nowMs < sinceMs) return 0;
  return Math.max(0, sinceMs + durationMs - nowMs);
}
