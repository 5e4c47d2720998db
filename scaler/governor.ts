import type { ScalingPolicy } from "../core/types.ts";
import { MINUTE_MS } from "../core/units.ts";
import {
  decide,
  type OftenNeeded,
  type ScalingInput,
  type ScalingMemory,
  type ScalingOutput,
} from "./decide.ts";
import { NeedStatistician } from "./often-needed.ts";
import { Ramp } from "./ramp.ts";
import type { RuleObservation } from "./rules.ts";
import { significant } from "./significant.ts";

/** How many are often needed changes slowly. */
const LEARNING_INTERVAL_MS = MINUTE_MS;

/** Everything but what is remembered and learned. */
export type Situation = Omit<ScalingInput, "memory" | "oftenNeeded" | "policy">;

/**
 * Decides for one service, again and again: remembers what an evaluation leaves for the next, and learns what the
 * service often needs. Live and in a backtest it is this one. A policy that changes takes another governor.
 */
export class Governor {
  readonly #policy: ScalingPolicy;
  /** The same, decided by and not acted on. */
  readonly #rehearsed: ScalingPolicy;
  readonly #statistician: NeedStatistician;
  #memory: ScalingMemory | undefined;
  #oftenNeeded: OftenNeeded | undefined;
  #learnedAtMs = Number.NEGATIVE_INFINITY;
  readonly #ramps: readonly Ramp[];

  constructor(policy: ScalingPolicy) {
    this.#policy = policy;
    this.#rehearsed = policy.dryRun ? policy : { ...policy, dryRun: true };
    this.#ramps = policy.rules.map(() => new Ramp());
    const highest = policy.schedule.map(({ maxReplicas }) => maxReplicas);
    this.#statistician = new NeedStatistician(Math.max(policy.maxReplicas, ...highest));
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
    const input: ScalingInput = {
      ...situation,
      observations: situation.observations.map((observation, rule) =>
        this.#withRamp(rounded(observation), rule, nowMs, startupMs),
      ),
      policy: rehearse ? this.#rehearsed : this.#policy,
      ...(this.#oftenNeeded === undefined ? {} : { oftenNeeded: this.#oftenNeeded }),
      ...(this.#memory === undefined ? {} : { memory: this.#memory }),
    };
    const output = decide(input);
    this.#statistician.record(nowMs, output.neededNow);
    return { input, output };
  }

  #withRamp(observation: RuleObservation, rule: number, nowMs: number, startupMs: number): RuleObservation {
    const ramp = this.#ramps[rule];
    const { read, burstSum } = observation;
    ramp?.record(nowMs, read === 0 ? undefined : burstSum, startupMs);
    const rampFactor = ramp?.factor(startupMs) ?? 1;
    return rampFactor > 1 ? { ...observation, rampFactor: significant(rampFactor) } : observation;
  }

  /** What was decided holds: the next evaluation goes on from it. */
  commit({ memory }: ScalingOutput): void {
    this.#memory = memory;
  }
}

/** Before anything is decided, so that what is kept of an evaluation decides the same again. */
function rounded(observation: RuleObservation): RuleObservation {
  const { heldBackRatio } = observation;
  return {
    ...observation,
    sum: significant(observation.sum),
    burstSum: significant(observation.burstSum),
    cautiousSum: significant(observation.cautiousSum),
    ageMs: Math.round(observation.ageMs),
    ...(heldBackRatio === undefined ? {} : { heldBackRatio: significant(heldBackRatio) }),
  };
}
