import { HOUR_MS } from "../../core/units.ts";
import { replicasFor, SERVICE_LEVEL } from "./load.ts";
import type { Run } from "./simulate.ts";

/**
 * How well a policy did over the scored steps. d: demand in replica-units; s: replicas that serve; r: replicas
 * demanded, the fewest that keep the service level: max(1, ceil(d / 0.8)). All steps last as long, so sums over steps
 * stand for sums over time.
 *
 * θ, τ: "Ready for Rain?" (SPEC-RG-2016-01, Herbst et al.) and Ilyushkin et al. (ICPE 2017), on r and s. Overload
 * and cost are what users feel and pay.
 */
export interface Scores {
  /** 100 · Σ max(d − 0.8·s, 0) / Σ d: the share of the work that was above the service level. */
  readonly overloadPercent: number;
  /** mean s / mean r: 1 is as much as was demanded. */
  readonly cost: number;
  /** θU = 100 · mean of max(r − s, 0) / r: how much was missing, in percent of what was demanded. */
  readonly thetaU: number;
  /** θO = 100 · mean of max(s − r, 0) / r: how much was too much. Divided by the demand, as SPEC does. */
  readonly thetaO: number;
  /** τU = 100 · share of the steps with r > s. */
  readonly tauU: number;
  /** τO = 100 · share of the steps with s > r. */
  readonly tauO: number;
  /** Changes of the ordered count per hour. */
  readonly adaptationsPerHour: number;
  /** Changes that go the other way than the change before, per hour. */
  readonly reversalsPerHour: number;
  readonly meanReplicas: number;
  readonly hours: number;
}

export function scoresOf({ load, ordered, serving }: Run): Scores {
  const { demand, scoredFrom, stepMs } = load;
  let asked = 0;
  let above = 0;
  let replicas = 0;
  let demanded = 0;
  let missing = 0;
  let spare = 0;
  let stepsMissing = 0;
  let stepsSpare = 0;
  let adaptations = 0;
  let reversals = 0;
  let direction = 0;
  for (let step = scoredFrom; step < demand.length; step += 1) {
    const d = demand[step] ?? 0;
    const s = serving[step] ?? 0;
    const r = replicasFor(d);
    asked += d;
    above += Math.max(d - SERVICE_LEVEL * s, 0);
    replicas += s;
    demanded += r;
    if (r > s) {
      missing += (r - s) / r;
      stepsMissing += 1;
    } else if (s > r) {
      spare += (s - r) / r;
      stepsSpare += 1;
    }
    const change = step === scoredFrom ? 0 : Math.sign((ordered[step] ?? 0) - (ordered[step - 1] ?? 0));
    if (change === 0) continue;
    adaptations += 1;
    if (change === -direction) reversals += 1;
    direction = change;
  }
  const steps = demand.length - scoredFrom;
  const hours = (steps * stepMs) / HOUR_MS;
  return {
    overloadPercent: asked === 0 ? 0 : (100 * above) / asked,
    cost: replicas / demanded,
    thetaU: (100 * missing) / steps,
    thetaO: (100 * spare) / steps,
    tauU: (100 * stepsMissing) / steps,
    tauO: (100 * stepsSpare) / steps,
    adaptationsPerHour: adaptations / hours,
    reversalsPerHour: reversals / hours,
    meanReplicas: replicas / steps,
    hours,
  };
}
