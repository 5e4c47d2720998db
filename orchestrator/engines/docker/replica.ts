import type {
  ObservedReplica,
  Endpoint as ReplicaEndpoint,
  ReplicaState,
  ReplicaTemplate,
  Service,
  ServiceId,
} from "../../../core/types.ts";
import { SECOND_MS } from "../../../core/units.ts";
import { OWNER_LABELS } from "../../engine.ts";
import type { InspectedContainer, Labels, ListedContainer } from "./wire.ts";

export interface ReplicaPlace {
  readonly project: string;
  readonly service: ServiceId;
  readonly slot: number;
  /** Absent: the project no longer has this service. */
  readonly definition?: Service | undefined;
  /** Its stop signal is on the way, by us. */
  readonly isStopping: boolean;
  /** Where ports published on every address answer. */
  readonly publishedHost: string;
  /** When an earlier observation saw it ready. */
  readonly seenReadyAtMs?: number | undefined;
}

/** A container as the replica that it is. */
export function replicaOf(
  container: InspectedContainer,
  place: ReplicaPlace,
  nowMs: number,
): ObservedReplica {
  const { State: state } = container;
  const who = identityOf(container.Id, container.Name, container.Config.Labels, place);
  const observed = stateOf(container, place.isStopping);
  const hasEnded = state.Status === "exited" || state.Status === "dead" || state.Status === "restarting";
  const hasFailedToStart = state.Status === "created" && (state.ExitCode ?? 0) !== 0;
  return {
    ...who,
    imageId: container.Image,
    state: observed,
    ...(state.Pid === undefined || state.Pid === 0 ? {} : { pid: state.Pid }),
    ...instant("createdAtMs", container.Created),
    ...instant("startedAtMs", state.StartedAt),
    ...(observed === "running" ? { readyAtMs: readyAtMs(container, place.seenReadyAtMs, nowMs) } : {}),
    ...(hasEnded ? endedAt(state) : {}),
    ...((hasEnded || hasFailedToStart) && state.ExitCode !== undefined ? { exitCode: state.ExitCode } : {}),
    ...(hasEnded && state.OOMKilled !== undefined ? { oomKilled: state.OOMKilled } : {}),
    ...(container.RestartCount === undefined ? {} : { restarts: container.RestartCount }),
    endpoints: endpointsOf(container, place.definition?.template, place.publishedHost),
    notEnforced: who.origin === "flyball" ? notEnforced(container, place.definition?.template) : [],
  };
}

/** A container that was made and never started, from what the list says of it. */
export function unstartedReplicaOf(
  { Id, Names, Labels, Created, ImageID }: ListedContainer,
  place: ReplicaPlace,
): ObservedReplica {
  return {
    ...identityOf(Id, Names?.[0] ?? Id, Labels, place),
    ...(ImageID === undefined ? {} : { imageId: ImageID }),
    state: "created",
    ...(Created === undefined ? {} : { createdAtMs: Created * SECOND_MS }),
    endpoints: [],
    notEnforced: [],
  };
}

function identityOf(
  id: string,
  name: string,
  labels: Labels | null | undefined,
  { project, service, slot }: ReplicaPlace,
) {
  const isOurs = labels?.[OWNER_LABELS.owner] !== undefined;
  const templateHash = isOurs ? labels[OWNER_LABELS.templateHash] : undefined;
  return {
    id,
    project,
    service,
    slot,
    name: name.replace(/^\//u, ""),
    origin: isOurs ? ("flyball" as const) : ("compose" as const),
    ...(templateHash === undefined ? {} : { templateHash }),
  };
}

function stateOf({ State: { Status, Health } }: InspectedContainer, isStopping: boolean): ReplicaState {
  switch (Status) {
    case "created":
    case "exited":
      return Status;
    case "removing":
    case "dead":
      return "stopping";
    default:
      if (isStopping) return "stopping";
  }
  if (Status === "paused" || Status === "restarting") return Status;
  if (Health?.Status === "starting") return "starting";
  return Health?.Status === "unhealthy" ? "unhealthy" : "running";
}

/**
 * Without a healthcheck a replica is ready as soon as it runs. With one, the engine does not say since when it is
 * healthy: what was seen first, or the oldest success of the last ones that the engine remembers.
 */
function readyAtMs(container: InspectedContainer, seenReadyAtMs: number | undefined, nowMs: number): number {
  if (seenReadyAtMs !== undefined) return seenReadyAtMs;
  const health = container.State.Health;
  if (health === undefined || health === null || health.Status === "none" || health.Status === "") {
    return instantOf(container.State.StartedAt) ?? nowMs;
  }
  const log = health.Log ?? [];
  const lastFailure = log.findLastIndex(({ ExitCode }) => ExitCode !== 0);
  return instantOf(log[lastFailure + 1]?.End) ?? nowMs;
}

/** One for each TCP port: where it is published on this host, else the container's own address. */
function endpointsOf(
  container: InspectedContainer,
  template: ReplicaTemplate | undefined,
  publishedHost: string,
): ReplicaEndpoint[] {
  if (container.State.Pid === undefined || container.State.Pid === 0) return [];
  const bindings = container.NetworkSettings.Ports ?? {};
  const address = addressOf(container, publishedHost);
  const ports = [...new Set([...wantedPorts(template), ...declaredPorts(container)])];
  return ports.flatMap((targetPort) => {
    const published = bindings[`${targetPort}/tcp`]?.find(({ HostPort }) => Number(HostPort) > 0);
    if (published !== undefined) {
      return [
        { targetPort, host: reachable(published.HostIp, publishedHost), port: Number(published.HostPort) },
      ];
    }
    return address === undefined ? [] : [{ targetPort, host: address, port: targetPort }];
  });
}

/** In the order of the compose file, because a probe without a port asks the first. */
function wantedPorts(template: ReplicaTemplate | undefined): number[] {
  if (template === undefined) return [];
  return [
    ...template.ports.filter(({ protocol }) => protocol === "tcp").map(({ target }) => target),
    ...template.exposedPorts.flatMap(tcpPort),
    ...(template.probe?.port === undefined ? [] : [template.probe.port]),
  ];
}

function declaredPorts(container: InspectedContainer): number[] {
  const keys = [
    ...Object.keys(container.NetworkSettings.Ports ?? {}),
    ...Object.keys(container.Config.ExposedPorts ?? {}),
  ];
  return keys.flatMap(tcpPort).sort((a, b) => a - b);
}

function tcpPort(port: string): number[] {
  const [number, protocol = "tcp"] = port.split("/");
  return protocol === "tcp" && /^\d+$/u.test(number ?? "") ? [Number(number)] : [];
}

function addressOf(
  { HostConfig, NetworkSettings }: InspectedContainer,
  publishedHost: string,
): string | undefined {
  if (HostConfig.NetworkMode === "host") return publishedHost;
  const networks = NetworkSettings.Networks ?? {};
  const first = networks[HostConfig.NetworkMode ?? ""]?.IPAddress;
  const any = Object.values(networks).find(({ IPAddress }) => IPAddress !== undefined && IPAddress !== "");
  return first === undefined || first === "" ? any?.IPAddress : first;
}

/** The wildcard that a port is bound to is no address to call. */
function reachable(hostIp: string | undefined, publishedHost: string): string {
  return hostIp === undefined || hostIp === "" || hostIp === "0.0.0.0" || hostIp === "::"
    ? publishedHost
    : hostIp;
}

/** Engines without the kernel's support take a limit, warn once, and drop it. */
function notEnforced(
  { HostConfig: host }: InspectedContainer,
  template: ReplicaTemplate | undefined,
): string[] {
  const { limitCores, limitMemoryBytes, limitPids } = template?.resources ?? {};
  const dropped: string[] = [];
  if (limitCores !== undefined && !isPositive(host.NanoCpus) && !isPositive(host.CpuQuota))
    dropped.push("cpu limit");
  if (limitMemoryBytes !== undefined && !isPositive(host.Memory)) dropped.push("memory limit");
  if (limitPids !== undefined && !isPositive(host.PidsLimit)) dropped.push("pids limit");
  return dropped.map((limit) => `${limit}: the engine did not keep it`);
}

function isPositive(value: number | null | undefined): boolean {
  return value !== undefined && value !== null && value > 0;
}

function instant<K extends string>(key: K, text: string | undefined): { [P in K]?: number } {
  const value = instantOf(text);
  const field: { [P in K]?: number } = {};
  if (value !== undefined) field[key] = value;
  return field;
}

/**
 * When it ended, never before it started: of one that ends at once the engine notes the start only when it hears that
 * the start went well, and that may be later than the end (26.1 of a container that lived for 1 ms, one in ten).
 */
export function endedAt({ StartedAt, FinishedAt }: InspectedContainer["State"]): { exitedAtMs?: number } {
  const ended = instantOf(FinishedAt);
  return ended === undefined ? {} : { exitedAtMs: Math.max(ended, instantOf(StartedAt) ?? ended) };
}

/** The engine writes the year 1 for "never". */
export function instantOf(text: string | undefined): number | undefined {
  const value = text === undefined ? Number.NaN : Date.parse(text);
  return value > 0 ? value : undefined;
}
