import type { AlertRequest, AlertSignal } from "../../core/alert.ts";
import type { AlertRuleName } from "../../core/alert-rules.ts";
import { formatDuration, MINUTE_MS } from "../../core/units.ts";
import type { ServiceFacts } from "../facts.ts";
import type { AlertRule, Finding } from "../rule.ts";
import { formatLevel, nameOf } from "./sentences.ts";
import { identityOf } from "./subject.ts";

const NAMES: Readonly<Record<AlertSignal, AlertRuleName>> = {
  cpu: "ServiceCpu",
  memory: "ServiceMemory",
  rps: "ServiceRequests",
  latency: "ServiceLatency",
  replicas: "ServiceReplicas",
};

const ADVICE: Readonly<Record<AlertSignal, string>> = {
  cpu: "See what it does: flyball explain; autoscale.max_cpu would have it scale before",
  memory: "Look for a leak, or give each replica more; autoscale.max_memory would have it scale before",
  rps: "See where the requests come from, or where they went",
  latency: "See what the replicas wait for; autoscale.max_latency would have it scale before",
  replicas: "flyball ps shows the replicas, flyball explain why there are as many",
};

/**
 * The thresholds that services ask for by their labels, `alert.cpu: "> 90% for 2m"`.
 *
 * @param common for services that say nothing of that signal themselves
 */
export function thresholdRules(common: readonly AlertRequest[]): readonly AlertRule[] {
  const signals = Object.keys(NAMES) as AlertSignal[];
  return signals.map((signal) => ({
    name: NAMES[signal],
    meaning: `\`alert.${signal}\`: ${nameOf(signal)} beyond what was asked`,
    // What the request says counts; these are for a request that is gone.
    severity: "warning",
    forMs: MINUTE_MS,
    keepFiringForMs: 0,
    noData: "keep",
    look: (facts) =>
      facts.services.flatMap((service) => {
        const own = service.requests.filter((request) => request.signal === signal);
        const requests = own.length > 0 ? own : common.filter((request) => request.signal === signal);
        return service.off.includes(NAMES[signal])
          ? []
          : requests.map((request) => findingOf(service, request));
      }),
  }));
}

function findingOf(service: ServiceFacts, request: AlertRequest): Finding {
  const { signal, comparison, threshold, forMs, keepFiringForMs, severity, noData } = request;
  const level = levelOf(service, signal);
  const held = forMs > 0 ? `, for ${formatDuration(forMs)} and longer` : "";
  const shown = level === undefined ? "unknown" : formatLevel(signal, level);
  return {
    ...identityOf(service),
    truth: level === undefined ? undefined : compare(level, comparison, threshold),
    summary: `${service.id}: ${nameOf(signal)} ${comparison} ${formatLevel(signal, threshold)}${held}; ${shown} now`,
    advice: ADVICE[signal],
    timing: { severity, forMs, keepFiringForMs, noData },
    signal: { metric: signal, threshold },
  };
}

function levelOf({ levels, replicas }: ServiceFacts, signal: AlertSignal): number | undefined {
  if (signal !== "replicas") return levels[signal];
  return replicas?.filter(({ state }) => state === "running").length;
}

function compare(level: number, comparison: AlertRequest["comparison"], threshold: number): boolean {
  switch (comparison) {
    case ">":
      return level > threshold;
    case ">=":
      return level >= threshold;
    case "<":
      return level < threshold;
    case "<=":
      return level <= threshold;
  }
}
