import type { Matcher } from "../../core/matcher.ts";
import type { AlertRule } from "../rule.ts";
import type { Inhibition } from "../suppression.ts";
import {
  COLLECTOR_SILENT,
  DISK_ALMOST_FULL,
  DISK_FILLING,
  ENGINE_SILENT,
  NOTIFICATIONS_FAILING,
  STORE_FAILING,
} from "./machine.ts";
import {
  CRASH_LOOPING,
  OUT_OF_MEMORY,
  REPLICAS_MISSING,
  SERVICE_DOWN,
  SERVICE_UNHEALTHY,
} from "./replicas.ts";
import { ROLLOUT_PAUSED, ROLLOUT_ROLLED_BACK, ROLLOUT_SLOW } from "./rollouts.ts";
import { SERVICE_AT_MAXIMUM, SERVICE_CANNOT_SCALE } from "./scaling.ts";

/** What is worth being told of, whatever the service. */
export const BUILT_IN: readonly AlertRule[] = [
  SERVICE_DOWN,
  CRASH_LOOPING,
  OUT_OF_MEMORY,
  SERVICE_UNHEALTHY,
  REPLICAS_MISSING,
  SERVICE_AT_MAXIMUM,
  SERVICE_CANNOT_SCALE,
  ROLLOUT_PAUSED,
  ROLLOUT_ROLLED_BACK,
  ROLLOUT_SLOW,
  ENGINE_SILENT,
  COLLECTOR_SILENT,
  DISK_ALMOST_FULL,
  DISK_FILLING,
  STORE_FAILING,
  NOTIFICATIONS_FAILING,
];

/** One cause, one message: what a cause brings about is not told beside it. */
export const INHIBITIONS: readonly Inhibition[] = [
  { source: [named("EngineSilent")], target: [{ ...named(""), name: "service", isEqual: false }], equal: [] },
  {
    source: [named("CrashLooping")],
    target: [oneOf("ServiceDown|ReplicasMissing|ServiceUnhealthy|ServiceCannotScale|RolloutSlow")],
    equal: ["service"],
  },
  {
    source: [named("ServiceDown")],
    target: [oneOf("ReplicasMissing|ServiceUnhealthy|ServiceReplicas")],
    equal: ["service"],
  },
  { source: [named("ServiceCannotScale")], target: [named("ReplicasMissing")], equal: ["service"] },
  { source: [named("RolloutPaused")], target: [named("RolloutSlow")], equal: ["service"] },
  { source: [named("DiskAlmostFull")], target: [named("DiskFilling")], equal: ["mountpoint"] },
];

function named(value: string): Matcher {
  return { name: "alertname", value, isEqual: true, isRegex: false };
}

function oneOf(value: string): Matcher {
  return { ...named(value), isRegex: true };
}
