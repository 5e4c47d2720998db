import { type LabelReader, label } from "./label-reader.ts";
import { type Reading, readBoolean, readCount } from "./label-values.ts";
import type { UpdateRequest } from "./update-request.ts";

/** How a service is brought to a new template, where it runs and what it waits for. */
export const DEPLOY_LABELS = {
  livenessFailures: label("probe.liveness", readCount(1), {
    meaning:
      "replace a replica after so many failures of its probe in a row; without it the probe decides readiness alone",
    defaultText: "none",
    example: "5",
  }),
  rollingUpdates: label("aliyun.rolling_updates", readBoolean, {
    meaning:
      "`true`: the next replica is updated only after the one before has proven healthy; `false`: all old ones go, then the new ones come",
    defaultText: "true",
    example: "true",
  }),
  rollingParallelism: label("aliyun.rolling_updates.parallelism", readParallelism, {
    meaning: "replicas that are updated at a time; what is no whole number above 0 means 1",
    defaultText: "1",
    example: "2",
  }),
  depends: label("aliyun.depends", readNames, {
    meaning: "services of the project that start first, separated by commas",
    defaultText: "none",
    example: "db,cache",
  }),
  global: label("aliyun.global", readBoolean, {
    meaning: "exactly one replica on each node, as `deploy.mode: global`",
    defaultText: "false",
    example: "true",
  }),
  scale: label("aliyun.scale", readCount(0), {
    meaning: "replicas that the service starts with, as `scale` and `deploy.replicas`, which go first",
    defaultText: "1",
    example: "3",
  }),
  latestImage: label("aliyun.latest_image", readBoolean, {
    meaning:
      "pull the image again at each `flyball up`, as `pull_policy: always`; rolled out when it is another",
    defaultText: "false",
    example: "true",
  }),
} as const;

export interface DeployRequest {
  readonly update: UpdateRequest;
  /** Names of services. */
  readonly depends: readonly string[];
  readonly global: boolean;
  readonly latestImage: boolean;
  readonly replicas?: number;
  readonly livenessFailures?: number;
}

/** Absent: the labels say nothing of it. */
export function readDeploy(reader: LabelReader): DeployRequest | undefined {
  if (!reader.says(...Object.values(DEPLOY_LABELS))) return undefined;
  const rolling = reader.get(DEPLOY_LABELS.rollingUpdates);
  const parallelism = reader.get(DEPLOY_LABELS.rollingParallelism);
  const replicas = reader.get(DEPLOY_LABELS.scale);
  const livenessFailures = reader.get(DEPLOY_LABELS.livenessFailures);
  return {
    update:
      rolling === false
        ? { order: "stop-first", parallelism: 0 }
        : parallelism === undefined
          ? {}
          : { parallelism },
    depends: reader.get(DEPLOY_LABELS.depends) ?? [],
    global: reader.get(DEPLOY_LABELS.global) ?? false,
    latestImage: reader.get(DEPLOY_LABELS.latestImage) ?? false,
    ...(replicas === undefined ? {} : { replicas }),
    ...(livenessFailures === undefined ? {} : { livenessFailures }),
  };
}

/** The platform that the label comes from takes what it cannot read for 1. */
function readParallelism(text: string): Reading<number> {
  const reading = readCount(1)(text);
  return "value" in reading ? reading : { value: 1 };
}

function readNames(text: string): Reading<readonly string[]> {
  const names = text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  return names.length > 0 ? { value: names } : { refusal: 'expected names of services, as "db,cache"' };
}
