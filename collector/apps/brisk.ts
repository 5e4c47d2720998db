/** Labels of rules that are about the requests of each replica. */
const TRAFFIC_RULES = ["autoscale.max_rps", "autoscale.max_latency"];

/** Its service scales by its requests: they must be known each second. */
export function isBrisk(labels: Readonly<Record<string, string>>): boolean {
  return TRAFFIC_RULES.some((label) => Object.hasOwn(labels, label));
}
