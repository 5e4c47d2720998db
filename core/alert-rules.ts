/** The names of the rules: what a label may turn off and the configuration may change. */
export const ALERT_RULES = [
  "ServiceDown",
  "CrashLooping",
  "OutOfMemory",
  "ServiceUnhealthy",
  "ReplicasMissing",
  "ServiceAtMaximum",
  "ServiceCannotScale",
  "RolloutPaused",
  "RolloutRolledBack",
  "RolloutSlow",
  "EngineSilent",
  "CollectorSilent",
  "DiskAlmostFull",
  "DiskFilling",
  "StoreFailing",
  "NotificationsFailing",
  "ServiceCpu",
  "ServiceMemory",
  "ServiceRequests",
  "ServiceLatency",
  "ServiceReplicas",
] as const;

export type AlertRuleName = (typeof ALERT_RULES)[number];

export function isAlertRule(name: string): name is AlertRuleName {
  return (ALERT_RULES as readonly string[]).includes(name);
}
