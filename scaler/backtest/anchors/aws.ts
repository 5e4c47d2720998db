import type { Autoscaler, Observation } from "../autoscaler.ts";
import { MinuteMeans } from "./minutes.ts";

export interface AwsSettings {
  readonly targetRatio: number;
  /** The managed alarms of target tracking: 3 minutes above, 15 below (Application Auto Scaling user guide). */
  readonly outMinutes: number;
  readonly inMinutes: number;
  /** The scale-in alarm stands at 90 % of the target, as the managed alarms show. */
  readonly inShare: number;
  /** `ScaleOutCooldown` and `ScaleInCooldown`: 300 s by default for ECS services (API reference). */
  readonly outCooldownMs: number;
  readonly inCooldownMs: number;
  /** "Scale in more gradually" is all the guide says: at most a quarter per action is an assumption. */
  readonly mostInShare: number;
}

const AWS_DEFAULTS: AwsSettings = {
  targetRatio: 0.7,
  outMinutes: 3,
  inMinutes: 15,
  inShare: 0.9,
  outCooldownMs: 300_000,
  inCooldownMs: 300_000,
  mostInShare: 0.25,
};

/** Target tracking of AWS Application Auto Scaling on the average CPU of an ECS service. */
export function aws(changes: Partial<AwsSettings> = {}): Autoscaler {
  const settings = { ...AWS_DEFAULTS, ...changes };
  const { targetRatio } = settings;
  const minutes = new MinuteMeans();
  let above = 0;
  let below = 0;
  let outAtMs = Number.NEGATIVE_INFINITY;
  let inAtMs = Number.NEGATIVE_INFINITY;
  return {
    name: `aws ${Math.round(targetRatio * 100)} %`,
    next({ nowMs, desired, utilization }: Observation): number {
      const mean = minutes.add(nowMs, utilization);
      if (mean === undefined) return desired;
      above = mean > targetRatio ? above + 1 : 0;
      below = mean < targetRatio * settings.inShare ? below + 1 : 0;
      if (nowMs - outAtMs < settings.outCooldownMs) return desired;
      const proportional = Math.ceil((desired * mean) / targetRatio);
      if (above >= settings.outMinutes) {
        // A scale-out waits for no scale-in's cooldown.
        outAtMs = nowMs;
        return proportional;
      }
      if (below < settings.inMinutes || nowMs - inAtMs < settings.inCooldownMs) return desired;
      const wanted = Math.max(
        proportional,
        desired - Math.max(1, Math.floor(desired * settings.mostInShare)),
      );
      if (wanted < desired) inAtMs = nowMs;
      return wanted;
    },
  };
}
