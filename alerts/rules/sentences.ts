import type { AlertSignal } from "../../core/alert.ts";
import type { RuleMetric } from "../../core/types.ts";
import { formatDuration, formatPercent } from "../../core/units.ts";

/** `1 replica`, `2 replicas`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** A level as a person writes it. */
export function formatLevel(metric: AlertSignal | RuleMetric, level: number): string {
  switch (metric) {
    case "cpu":
    case "memory":
      return formatPercent(level);
    case "latency":
      return formatDuration(level);
    default:
      return String(Number(level.toPrecision(3)));
  }
}

const NAMES: Readonly<Record<AlertSignal | "query", string>> = {
  cpu: "CPU",
  memory: "memory",
  rps: "requests per second of one replica",
  latency: "latency at p95",
  replicas: "ready replicas",
  query: "its query",
};

export function nameOf(metric: AlertSignal | RuleMetric): string {
  return NAMES[metric];
}

/** `a, b and c`. */
export function listed(words: readonly string[]): string {
  if (words.length <= 1) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}
