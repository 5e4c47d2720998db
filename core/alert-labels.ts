import type { AlertRequest, AlertSignal, ServiceAlerts } from "./alert.ts";
import { readAlerts } from "./alert-expression.ts";
import { ALERT_RULES, type AlertRuleName, isAlertRule } from "./alert-rules.ts";
import { type LabelReader, label } from "./label-reader.ts";
import type { Reading } from "./label-values.ts";
import { nearest } from "./nearest.ts";

export const ALERT_PREFIX = "alert.";

/** What of a service somebody wants to be told of, beside the built-in rules. */
export const ALERT_LABELS = {
  alertCpu: label("alert.cpu", readAlerts("cpu"), {
    meaning:
      "alert on the mean CPU of the ready replicas, in percent of what each may use; several thresholds are separated by `;`",
    defaultText: "none",
    example: "> 90% for 2m",
  }),
  alertMemory: label("alert.memory", readAlerts("memory"), {
    meaning: "alert on the mean working set, in percent of the memory limit, else of the reservation",
    defaultText: "none",
    example: "> 95% for 1m critical",
  }),
  alertRps: label("alert.rps", readAlerts("rps"), {
    meaning: "alert on requests per second of one replica, from its own metrics (`metrics.port`)",
    defaultText: "none",
    example: "< 1 for 10m no data fires",
  }),
  alertLatency: label("alert.latency", readAlerts("latency"), {
    meaning: "alert when 5 % of the requests take longer, by the replicas' own metrics (`metrics.port`)",
    defaultText: "none",
    example: "> 800ms for 2m",
  }),
  alertReplicas: label("alert.replicas", readAlerts("replicas"), {
    meaning: "alert on the number of ready replicas",
    defaultText: "none",
    example: "< 2 for 1m critical",
  }),
  alertOff: label("alert.off", readNames, {
    meaning: "built-in rules that this service wants nobody to be woken for, separated by commas",
    defaultText: "none",
    example: "ReplicasMissing,OutOfMemory",
  }),
} as const;

const BY_SIGNAL = [
  ALERT_LABELS.alertCpu,
  ALERT_LABELS.alertMemory,
  ALERT_LABELS.alertRps,
  ALERT_LABELS.alertLatency,
  ALERT_LABELS.alertReplicas,
];

/** Absent: the labels say nothing of it. */
export function readServiceAlerts(reader: LabelReader): ServiceAlerts | undefined {
  if (!reader.says(...Object.values(ALERT_LABELS))) return undefined;
  return {
    requests: BY_SIGNAL.flatMap((spec) => reader.get(spec) ?? []),
    off: reader.get(ALERT_LABELS.alertOff) ?? [],
  };
}

/** What a table of thresholds asks for: signal → expression. @returns the requests, or what is wrong by signal */
export function readAlertTable(table: Readonly<Record<string, string>>): {
  readonly requests: readonly AlertRequest[];
  readonly problems: readonly { readonly key: string; readonly message: string }[];
} {
  const requests: AlertRequest[] = [];
  const problems: { key: string; message: string }[] = [];
  for (const [key, text] of Object.entries(table)) {
    const spec = BY_SIGNAL.find((one) => one.key === ALERT_PREFIX + key);
    const signals = BY_SIGNAL.map((one) => one.key.slice(ALERT_PREFIX.length) as AlertSignal);
    const reading: Reading<readonly AlertRequest[]> =
      spec === undefined ? { refusal: `expected one of ${signals.join(", ")}` } : spec.read(text);
    if ("value" in reading) requests.push(...reading.value);
    else problems.push({ key, message: `${reading.refusal}, got ${JSON.stringify(text)}` });
  }
  return { requests, problems };
}

function readNames(text: string): Reading<readonly AlertRuleName[]> {
  const names = text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  const unknown = names.find((name) => !isAlertRule(name));
  if (unknown === undefined && names.length > 0) return { value: names.filter(isAlertRule) };
  return { refusal: `expected names of rules, as "ReplicasMissing,OutOfMemory"${didYouMean(unknown)}` };
}

function didYouMean(name: string | undefined): string {
  const meant = name === undefined ? undefined : nearest(name, ALERT_RULES);
  return meant === undefined ? "" : ` (did you mean ${meant}?)`;
}
