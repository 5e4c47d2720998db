import type { Rule, ScalingPolicy, SignsOfUse } from "../core/types.ts";
import { MINUTE_MS } from "../core/units.ts";
import {
  decide,
  type OftenNeeded,
  type ScalingInput,
  type ScalingMemory,
  type ScalingOutput,
} from "./decide.ts";
import { Foresight, type PastDemand } from "./foresight.ts";
import { Idleness } from "./idleness.ts";
import { Noise } from "./noise.ts";
import { NeedStatistician } from "./often-needed.ts";
import { Ramp } from "./ramp.ts";
import { isShared, type RuleObservation, SATURATED_SHARE } from "./rules.ts";
import { Timetable } from "./schedule.ts";
import { significant } from "./significant.ts";

/** How many are often needed changes slowly. */
const LEARNING_INTERVAL_MS = MINUTE_MS;

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Everything but what is remembered, learned and foreseen. */
export type Situation = Omit<
  ScalingInput,
  "memory" | "oftenNeeded" | "policy" | "bounds" | "forecast" | "activity"
> & {
  /** What the balancer knows of the service's use; absent: nothing. */
  readonly signsOfUse?: SignsOfUse;
  /** What the service's query gives; absent: it has none, or it is silent. */
  readonly queryLevel?: number;
};

/**
 * Decides for one service, again and again: remembers what an evaluation leaves for the next, and learns what the
 * service often needs. Live and in a backtest it is this one. A policy that changes takes another governor.
 */
export class Governor {
  readonly #policy: ScalingPolicy;
  /** The same, decided by and not acted on. */
  readonly #rehearsed: ScalingPolicy;
  readonly #statistician: NeedStatistician;
  readonly #timetable: Timetable;
  readonly #foresight: Foresight;
  /** Absent: the service always has a replica. */
  readonly #idleness: Idleness | undefined;
  #memory: ScalingMemory | undefined;
  #oftenNeeded: OftenNeeded | undefined;
  #learnedAtMs = Number.NEGATIVE_INFINITY;
  /** For each rule. */
  readonly #ramps: readonly Ramp[];
  readonly #noises: readonly Noise[];

  constructor(policy: ScalingPolicy) {
    this.#policy = policy;
    this.#rehearsed = policy.dryRun ? policy : { ...policy, dryRun: true };
    this.#ramps = policy.rules.map(() => new Ramp());
    this.#noises = policy.rules.map(() => new Noise());
    const highest = policy.schedule.map(({ maxReplicas }) => maxReplicas);
    this.#statistician = new NeedStatistician(Math.max(policy.maxReplicas, ...highest));
    this.#timetable = new Timetable(policy.schedule);
    this.#foresight = new Foresight(policy);
    this.#idleness = policy.idleMs === undefined ? undefined : new Idleness(policy.idleMs);
  }

  /**
   * @param startupMs from the order of a replica until it serves, as far as it is known
   * @param rehearse decide, and leave the count as it is
   */
  evaluate(
    situation: Situation,
    startupMs: number,
    rehearse = false,
  ): { input: ScalingInput; output: ScalingOutput } {
    const { nowMs } = situation;
    if (Math.abs(nowMs - this.#learnedAtMs) >= LEARNING_INTERVAL_MS) {
      this.#learnedAtMs = nowMs;
      this.#oftenNeeded = this.#statistician.oftenNeeded(startupMs);
    }
    const observations = situation.observations.map((observation, rule) =>
      this.#withShape(rounded(observation), rule, situation, startupMs),
    );
    this.#foresight.record(nowMs, observations, situation.serving);
    const forecast = this.#foresight.floor(nowMs, startupMs);
    const bounds = this.#timetable.boundsAt(nowMs);
    const { service, desired, serving, single, noRoom } = situation;
    const policy = rehearse ? this.#rehearsed : this.#policy;
    const input: Writable<ScalingInput> = { nowMs, service, policy, desired, serving, observations, single };
    if (noRoom !== undefined) input.noRoom = noRoom;
    const { signsOfUse, queryLevel } = situation;
    const activity = this.#idleness?.look(nowMs, desired > 0, signsOfUse, queryLevel);
    if (activity !== undefined) input.activity = activity;
    if (bounds !== undefined) input.bounds = bounds;
    if (this.#oftenNeeded !== undefined) input.oftenNeeded = this.#oftenNeeded;
    if (forecast !== undefined) input.forecast = forecast;
    if (this.#memory !== undefined) input.memory = this.#memory;
    const output = decide(input);
    this.#statistician.record(nowMs, output.neededNow);
    return { input, output };
  }

  /** With what the load has been like: how much of it is noise, and whether it rises. */
  #withShape(
    observation: Writable<RuleObservation>,
    index: number,
    { nowMs, serving }: Situation,
    startupMs: number,
  ): RuleObservation {
    const rule = this.#policy.rules[index];
    const [ramp, noise] = [this.#ramps[index], this.#noises[index]];
    const { read, sum, burstSum } = observation;
    // All that there is hides what is wanted, and when more can be had again that looks like a rise.
    const hidden = (rule?.enforced ?? false) && burstSum >= SATURATED_SHARE * read;
    if (read > 0) noise?.record(nowMs, sum, burstSum);
    ramp?.record(nowMs, hidden ? undefined : loadOf(rule, observation, serving), startupMs);
    if (noise !== undefined && noise.ratio > 0) observation.noiseRatio = significant(noise.ratio);
    const rampFactor = ramp?.factor(startupMs) ?? 1;
    if (rampFactor > 1) observation.rampFactor = significant(rampFactor);
    return observation;
  }

  /** What the service used before this governor was there; for the forecast. */
  remember(rule: number, past: Iterable<PastDemand>, startupMs: number): void {
    this.#foresight.remember(rule, past, startupMs);
  }

  /** What was decided holds: the next evaluation goes on from it. */
  commit({ memory }: ScalingOutput): void {
    this.#memory = memory;
  }
}

/** Undefined when nothing was read. Each silent replica is taken to carry what the others do. */
function loadOf(rule: Rule | undefined, observation: RuleObservation, serving: number): number | undefined {
  const { read, burstSum } = observation;
  if (rule === undefined || read === 0) return undefined;
  const level = burstSum / read;
  // A latency is no sum: with more replicas it would seem to rise.
  return isShared(rule) ? level * serving : level;
}

/** Before anything is decided, so that what is kept of an evaluation decides the same again. */
function rounded(observation: RuleObservation): Writable<RuleObservation> {
  const { read, sum, burstSum, cautiousSum, ageMs, heldBackRatio } = observation;
  const result: Writable<RuleObservation> = {
    read,
    sum: significant(sum),
    burstSum: significant(burstSum),
    cautiousSum: significant(cautiousSum),
    ageMs: Math.round(ageMs),
  };
  if (heldBackRatio !== undefined) result.heldBackRatio = significant(heldBackRatio);
  return result;
}
