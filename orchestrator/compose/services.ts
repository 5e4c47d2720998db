import type { Diagnostic } from "../../core/diagnostics.ts";
import { Diagnostics } from "../../core/diagnostics.ts";
import { serviceIdOf } from "../../core/ids.ts";
import { type DecodedLabels, decodeLabels, type LabelSettings } from "../../core/labels.ts";
import type {
  Project,
  ProjectNetwork,
  ProjectVolume,
  ReplicaTemplate,
  Service,
  TrafficPolicy,
} from "../../core/types.ts";
import { checkCircles, dependenciesOf } from "./dependencies.ts";
import { initialReplicas } from "./initial-replicas.ts";
import { isBatchProject, jobOf, withJobsChecked } from "./jobs.ts";
import type { ComposeNetwork, ComposeProject, ComposeService, ComposeVolume } from "./model.ts";
import { replicaTemplate } from "./template.ts";
import { templateHash } from "./template-hash.ts";
import { updatesOf } from "./updates.ts";

/**
 * The services, networks and volumes that a normalized compose project asks for. Labels that cannot be used leave a
 * service without scaling and the others as they are; what cannot be run as written is an error of the project.
 */
export function projectOf(
  compose: ComposeProject,
  source: { workingDirectory: string; composeFiles: readonly string[] },
  settings?: LabelSettings,
): { project: Project; diagnostics: readonly Diagnostic[] } {
  const diagnostics = new Diagnostics();
  const decoded = Object.entries(compose.services)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, service]) => serviceOf(compose, name, service, diagnostics, settings));
  const services = withJobsChecked(decoded, diagnostics);
  checkCircles(services, diagnostics);
  const project: Project = {
    name: compose.name,
    workingDirectory: source.workingDirectory,
    composeFiles: source.composeFiles,
    services,
    networks: Object.entries(compose.networks ?? {}).map(([key, network]) => networkOf(key, network)),
    volumes: Object.entries(compose.volumes ?? {}).map(([key, volume]) => volumeOf(key, volume)),
  };
  return { project, diagnostics: diagnostics.all };
}

function serviceOf(
  compose: ComposeProject,
  name: string,
  service: ComposeService,
  diagnostics: Diagnostics,
  settings: LabelSettings | undefined,
): Service {
  const path = `services.${name}`;
  const template = replicaTemplate(compose, name, service, diagnostics);
  const labels = { ...service.labels, ...service.deploy?.labels };
  const isBatch = isBatchProject(compose);
  const decoded = decodeLabels(labels, template.resources, `${path}.labels`, { ...settings, isBatch });
  // A label that cannot be used is the service's own trouble: said, and not an end to the project.
  diagnostics.addAll(
    decoded.diagnostics.map((diagnostic) => ({
      ...diagnostic,
      severity: "warning" as const,
      message:
        diagnostic.severity === "error"
          ? `${diagnostic.message} (${consequenceOf(diagnostic, decoded)})`
          : diagnostic.message,
    })),
  );

  const restarting: ReplicaTemplate = {
    ...template,
    ...(decoded.probe === undefined ? {} : { probe: decoded.probe }),
    exposedPorts: withDoors(template.exposedPorts, decoded.traffic),
    ...(decoded.deploy?.latestImage === true
      ? { container: { ...template.container, pullPolicy: "always" } }
      : {}),
    // A service that scales is meant to stay up; compose's own default is for one-off containers as well.
    ...(decoded.scaling !== undefined && saysNothingOfRestart(service)
      ? { restart: { condition: "any", delayMs: template.restart.delayMs } as const }
      : {}),
  };
  const isGlobal = decoded.deploy?.global === true || service.deploy?.mode === "global";
  const singleReplicaReason = isGlobal ? "it is global: one for each node" : whySingle(service, restarting);
  const asked = initialReplicas(service, decoded.deploy?.replicas, isGlobal, path, diagnostics);
  const job = decoded.job === undefined ? undefined : jobOf(decoded.job, labels, asked);
  if (
    job === undefined &&
    singleReplicaReason !== undefined &&
    (asked > 1 || decoded.scaling !== undefined)
  ) {
    diagnostics.warning(
      { path },
      `cannot have more than one replica on a Docker engine: ${singleReplicaReason}`,
    );
  }
  return {
    id: serviceIdOf(compose.name, name),
    project: compose.name,
    name,
    template: restarting,
    templateHash: templateHash(restarting),
    ...(job === undefined ? { initialReplicas: asked } : { initialReplicas: 0, job }),
    ...(decoded.scaling === undefined ? {} : { scaling: decoded.scaling }),
    businessLabels: decoded.businessLabels,
    ...(decoded.metrics === undefined ? {} : { metrics: decoded.metrics }),
    dependsOn: dependenciesOf(compose, service, decoded.deploy?.depends ?? [], path, diagnostics),
    ...(singleReplicaReason === undefined || job !== undefined ? {} : { singleReplicaReason }),
    ...(isGlobal && job === undefined ? { global: true } : {}),
    ...updatesOf(service, decoded.deploy?.update ?? {}, path, diagnostics),
    ...(decoded.deploy?.livenessFailures === undefined
      ? {}
      : { livenessFailures: decoded.deploy.livenessFailures }),
    ...(decoded.traffic === undefined ? {} : { traffic: decoded.traffic }),
    ...(decoded.alerts === undefined ? {} : { alerts: decoded.alerts }),
  };
}

function consequenceOf({ path }: Diagnostic, { job }: DecodedLabels): string {
  if (job === undefined) return "the service does not scale";
  return job.trigger.kind === "refused" && !path.includes(".autoscale.")
    ? "the job does not run"
    : "the job runs without it";
}

/** A port that the balancer leads to need not be named a second time. */
function withDoors(exposed: readonly string[], traffic: TrafficPolicy | undefined): readonly string[] {
  const doors = traffic?.doors.flatMap(({ port }) => (port === undefined ? [] : [String(port)])) ?? [];
  return [...new Set([...exposed, ...doors])];
}

function saysNothingOfRestart(service: ComposeService): boolean {
  return service.restart === undefined && service.deploy?.restart_policy === undefined;
}

/** What two replicas of one container cannot share. */
function whySingle(service: ComposeService, template: ReplicaTemplate): string | undefined {
  if (service.container_name !== undefined) return `container_name is fixed to ${service.container_name}`;
  const fixedPort = template.ports.find(
    (port) => port.published !== undefined && !port.published.includes("-"),
  );
  if (fixedPort !== undefined) {
    return `host port ${fixedPort.published} is fixed; publish "${fixedPort.target}" alone, or a range, to let each have its own`;
  }
  const fixedAddress = template.networks.find((network) => network.ipv4Address ?? network.ipv6Address);
  if (fixedAddress !== undefined) return `its address on ${fixedAddress.network} is fixed`;
  if (service.mac_address !== undefined) return "its mac_address is fixed";
  if (template.networkMode === "host") return "it uses the host's network";
  return undefined;
}

function networkOf(key: string, network: ComposeNetwork): ProjectNetwork {
  return {
    key,
    name: network.name,
    external: network.external === true,
    ...(network.driver === undefined ? {} : { driver: network.driver }),
    driverOptions: network.driver_opts ?? {},
    labels: network.labels ?? {},
    internal: network.internal === true,
    attachable: network.attachable === true,
    enableIpv6: network.enable_ipv6 === true,
    subnets: (network.ipam.config ?? []).map(({ subnet, gateway, ip_range: ipRange }) => ({
      ...(subnet === undefined ? {} : { subnet }),
      ...(gateway === undefined ? {} : { gateway }),
      ...(ipRange === undefined ? {} : { ipRange }),
    })),
  };
}

function volumeOf(key: string, volume: ComposeVolume): ProjectVolume {
  return {
    key,
    name: volume.name,
    external: volume.external === true,
    ...(volume.driver === undefined ? {} : { driver: volume.driver }),
    driverOptions: volume.driver_opts ?? {},
    labels: volume.labels ?? {},
  };
}
