import { aliyun } from "../../scaler/backtest/anchors/aliyun.ts";
import { aws } from "../../scaler/backtest/anchors/aws.ts";
import { hpa } from "../../scaler/backtest/anchors/hpa.ts";
import { knative } from "../../scaler/backtest/anchors/knative.ts";
import { oracle } from "../../scaler/backtest/anchors/oracle.ts";
import { staticCount } from "../../scaler/backtest/anchors/static.ts";
import type { Autoscaler, Situation } from "../../scaler/backtest/autoscaler.ts";
import { flyball, policyOfLabels } from "../../scaler/backtest/flyball.ts";
import { MODEL_BOUNDS } from "../../scaler/backtest/run.ts";

export type MakePolicy = (situation: Situation) => Autoscaler;

export const DEFAULTS_LABELS = "autoscale.max_cpu=70";
export const STEP_2_LABELS = "autoscale.max_cpu=70,autoscale.min_cpu=30,autoscale.step=2";

export function ours(labels: string, name: string): MakePolicy {
  const policy = policyOfLabels(labels, MODEL_BOUNDS);
  return (situation) => ({ ...flyball(policy, situation), name });
}

export const FLYBALL = "flyball max_cpu 70";
export const FLYBALL_STEP_2 = "flyball 70/30 step 2";
export const HPA = "hpa 70 %";

/** Ours, and what there is to be compared with. */
export const POLICIES: Readonly<Record<string, MakePolicy>> = {
  [FLYBALL]: ours(DEFAULTS_LABELS, FLYBALL),
  [FLYBALL_STEP_2]: ours(STEP_2_LABELS, FLYBALL_STEP_2),
  [HPA]: () => hpa(),
  "hpa 50 %": () => hpa({ targetRatio: 0.5 }),
  knative: () => knative(),
  "aliyun 70/30 step 1": () => aliyun({ step: 1 }),
  "aliyun 70/30 step 2": () => aliyun(),
  "aws 70 %": () => aws(),
  static: staticCount,
  oracle,
};
