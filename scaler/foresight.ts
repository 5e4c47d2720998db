import type { ScalingPolicy } from "../core/types.ts";
import { MINUTE_MS } from "../core/units.ts";
import { Forecast } from "./forecast/forecast.ts";
import { replicasFor } from "./forecast/trial.ts";
import { isShared, type RuleObservation } from "./rules.ts";

/** What a service as a whole used in a span of time, in the rule's unit: shares of a replica's capacity, requests. */
export interface PastDemand {
  readonly fromMs: number;
  readonly toMs: number;
  readonly demand: number;
}

interface Foreseen {
  readonly rule: number;
  readonly max: number;
  readonly forecast: Forecast;
  minuteMs: number;
  sum: number;
  count: number;
}

/** The forecasts of the rules whose load is shared by the replicas: what each used minute by minute, and the floor. */
export class Foresight {
  readonly #foreseen: readonly Foreseen[];

  constructor({ predict, rules }: ScalingPolicy) {
    this.#foreseen = rules.flatMap((rule, index) =>
      predict && isShared(rule)
        ? [{ rule: index, max: rule.max, forecast: new Forecast(), minuteMs: Number.NaN, sum: 0, count: 0 }]
        : [],
    );
  }

  /** What was recorded before this governor was there, oldest first: the judgement of each day is made up for. */
  remember(rule: number, past: Iterable<PastDemand>, startupMs: number): void {
    const foreseen = this.#foreseen.find((one) => one.rule === rule);
    if (foreseen === undefined) return;
    for (const { fromMs, toMs, demand } of past) {
      foreseen.forecast.floor(fromMs, sizingOf(foreseen, startupMs));
      foreseen.forecast.record(fromMs, toMs, demand);
    }
  }

  /** To be called at each evaluation, before the floor is asked for. */
  record(nowMs: number, observations: readonly RuleObservation[], serving: number): void {
    const minuteMs = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS;
    for (const foreseen of this.#foreseen) {
      if (minuteMs !== foreseen.minuteMs) {
        const { minuteMs: endedMs, sum, count } = foreseen;
        if (count > 0) foreseen.forecast.record(endedMs, endedMs + MINUTE_MS, sum / count);
        Object.assign(foreseen, { minuteMs, sum: 0, count: 0 });
      }
      const observation = observations[foreseen.rule];
      if (observation === undefined || observation.read === 0) continue;
      // Each silent one is taken to carry what the others do.
      foreseen.sum += (observation.sum / observation.read) * serving;
      foreseen.count += 1;
    }
  }

  /** The most replicas that any of the forecasts wants to be ready; undefined when none says anything. */
  floor(nowMs: number, startupMs: number): { readonly replicas: number; readonly forMs: number } | undefined {
    let most: { readonly replicas: number; readonly forMs: number } | undefined;
    for (const foreseen of this.#foreseen) {
      const floor = foreseen.forecast.floor(nowMs, sizingOf(foreseen, startupMs));
      if (!("demand" in floor)) continue;
      const replicas = replicasFor(floor.demand / foreseen.max);
      if (replicas > (most?.replicas ?? 0)) most = { replicas, forMs: floor.forMs };
    }
    return most;
  }
}

function sizingOf({ max }: Foreseen, startMs: number) {
  return { capacity: 1, targetRatio: max, startMs };
}
