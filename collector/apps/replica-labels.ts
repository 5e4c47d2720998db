import type { Discovered } from "../discover/discovered.ts";
import { labelRules, shownLabels } from "../expose/label-rules.ts";
import type { LabelSettings } from "../settings.ts";
import type { Label } from "./metrics-text.ts";

/** Those that a replica's own series get on the page. */
export function pageLabels(settings: LabelSettings): (replica: Discovered) => Label[] {
  // The service is named already, in fewer words than a container's labels.
  const rules = { ...labelRules(settings), allowed: new Set<string>() };
  return (replica) => replicaLabels(replica, shownLabels(replica, rules).labels);
}

/**
 * What every series of a replica's own metrics says of it: the service and the replica, and the business labels, which
 * never take the place of these two.
 */
function replicaLabels(replica: Discovered, business: readonly Label[]): Label[] {
  const service = serviceOf(replica.labels);
  return [
    ...(service === undefined ? [] : [{ name: "service", value: service }]),
    { name: "replica", value: replica.name },
    ...business.filter(({ name }) => name !== "service" && name !== "replica"),
  ];
}

/** `project_service`, whoever started it; undefined for a container of no service. */
function serviceOf(labels: Discovered["labels"]): string | undefined {
  const swarm = labels["com.docker.swarm.service.name"];
  if (swarm !== undefined) return swarm;
  const project = labels["com.docker.compose.project"];
  const service = labels["com.docker.compose.service"];
  return project === undefined || service === undefined ? undefined : `${project}_${service}`;
}
