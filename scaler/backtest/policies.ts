import { aliyun } from "./anchors/aliyun.ts";
import { aws } from "./anchors/aws.ts";
import { hpa } from "./anchors/hpa.ts";
import { knative } from "./anchors/knative.ts";
import { oracle } from "./anchors/oracle.ts";
import { staticCount } from "./anchors/static.ts";
import type { Autoscaler, Situation } from "./autoscaler.ts";

/** What a backtest can be compared with, by the name that `--compare` takes. */
export const ANCHORS = {
  hpa: () => hpa(),
  knative: () => knative(),
  aliyun: () => aliyun(),
  aws: () => aws(),
  static: staticCount,
  oracle,
} as const satisfies Record<string, (situation: Situation) => Autoscaler>;

export type AnchorName = keyof typeof ANCHORS;
