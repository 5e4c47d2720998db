import type { Autoscaler, Observation } from "../autoscaler.ts";
import { MinuteMeans } from "./minutes.ts";

export interface AliyunSettings {
  /** `aliyun.auto_scaling.max_cpu`, `.min_cpu` and `.step`; 70 and 30 are the values of its label sample. */
  readonly maxRatio: number;
  readonly minRatio: number;
  readonly step: number;
  /** Consecutive periods of a minute beyond a bound: help page 43472, "Container auto scaling". */
  readonly periods: number;
}

const ALIYUN_DEFAULTS: AliyunSettings = { maxRatio: 0.7, minRatio: 0.3, step: 2, periods: 3 };

/**
 * The labels of Alibaba Cloud Container Service (Swarm): a step out when the means of three consecutive minutes are
 * all above the upper bound, a step in when they are all below the lower one. That counting begins anew after an
 * action is an assumption: the page does not say.
 */
export function aliyun(changes: Partial<AliyunSettings> = {}): Autoscaler {
  const { maxRatio, minRatio, step, periods } = { ...ALIYUN_DEFAULTS, ...changes };
  const minutes = new MinuteMeans();
  let above = 0;
  let below = 0;
  return {
    name: `aliyun ${Math.round(maxRatio * 100)}/${Math.round(minRatio * 100)} step ${step}`,
    next({ nowMs, desired, utilization }: Observation): number {
      const mean = minutes.add(nowMs, utilization);
      if (mean === undefined) return desired;
      above = mean > maxRatio ? above + 1 : 0;
      below = mean < minRatio ? below + 1 : 0;
      if (above < periods && below < periods) return desired;
      const wanted = above >= periods ? desired + step : desired - step;
      above = 0;
      below = 0;
      return wanted;
    },
  };
}
