import type { ObservedReplica, Service, ServiceId } from "../../core/types.ts";
import type { TargetGroup } from "../../core/wire-endpoints.ts";
import { formatAddress } from "../addresses.ts";

/** Those that answer a scrape; one that is not ready says most about why. */
const SCRAPED: ReadonlySet<ObservedReplica["state"]> = new Set(["starting", "running", "unhealthy"]);
const DEFAULT_PATH = "/metrics";
/** The scraper's own: what stands in a target would replace them. */
const SCRAPERS_OWN: ReadonlySet<string> = new Set(["job", "instance"]);

/**
 * What a Prometheus server should scrape, one group for each port of a replica.
 * @param ports `metrics`: those that services name as theirs; `all`: every TCP port that is known
 */
export function targetGroups(
  services: readonly Service[],
  replicasOf: (service: ServiceId) => readonly ObservedReplica[],
  ports: "metrics" | "all",
): TargetGroup[] {
  return services.flatMap((service) =>
    replicasOf(service.id)
      .filter(({ state }) => SCRAPED.has(state))
      .toSorted((a, b) => a.slot - b.slot)
      .flatMap((replica) =>
        replica.endpoints
          .filter(({ targetPort }) => ports === "all" || targetPort === service.metrics?.port)
          .map(({ host, port, targetPort }) => ({
            targets: [formatAddress({ host, port })],
            labels: { ...labelsOf(service, replica), ...labelsOfPort(service, targetPort) },
          })),
      ),
  );
}

function labelsOf(service: Service, replica: ObservedReplica): Record<string, string> {
  const business = Object.entries(service.businessLabels).filter(([name]) => !SCRAPERS_OWN.has(name));
  return {
    ...Object.fromEntries(business),
    __meta_flyball_project: service.project,
    __meta_flyball_service: service.name,
    __meta_flyball_service_id: service.id,
    __meta_flyball_replica: replica.name,
    __meta_flyball_replica_id: replica.id,
    __meta_flyball_slot: String(replica.slot),
    __meta_flyball_state: replica.state,
  };
}

function labelsOfPort({ metrics }: Service, targetPort: number): Record<string, string> {
  const path = metrics?.port === targetPort ? metrics.path : DEFAULT_PATH;
  return { __meta_flyball_port: String(targetPort), __metrics_path__: path };
}
