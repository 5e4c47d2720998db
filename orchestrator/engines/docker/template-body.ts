import type { Healthcheck, Mount, PortMapping, ReplicaTemplate } from "../../../core/types.ts";
import { composeLabels, ownerLabels, type ReplicaIdentity, replicaName } from "./labels.ts";
import type { ContainerPlan, HostConfig, MountSpec, NetworkSeat, PortBinding } from "./wire.ts";

const NANOSECONDS_PER_MS = 1e6;
const NANO_CPUS_PER_CORE = 1e9;

/** What a template's names stand for on this engine, looked up before. */
export interface ResolvedNames {
  readonly imageId: string;
  /** `networkMode`, `pidMode`, `ipcMode` with each `service:x` made `container:<id>`. */
  readonly networkMode?: string;
  readonly pidMode?: string;
  readonly ipcMode?: string;
}

/** The container that makes one replica from its service's template. */
export function planFromTemplate(identity: ReplicaIdentity, names: ResolvedNames): ContainerPlan {
  const { project, service, slot } = identity;
  const { template } = service;
  const { container } = template;
  const name = container.containerName ?? replicaName(project.name, service.name, slot);
  const exposed = exposedPorts(template);
  return {
    name,
    ...optional("platform", container.platform),
    body: {
      ...optional("Image", template.image),
      ...optional("Entrypoint", template.entrypoint),
      ...optional("Cmd", template.command),
      Env: Object.entries(template.environment).map(([key, value]) => `${key}=${value}`),
      ...optional("WorkingDir", template.workingDirectory),
      ...optional("User", template.user),
      ...optional("Hostname", container.hostname),
      ...optional("Domainname", container.domainName),
      ...optional("Tty", container.tty),
      ...optional("OpenStdin", container.stdinOpen),
      Labels: { ...template.labels, ...composeLabels(identity, names.imageId), ...ownerLabels(identity) },
      ...(exposed.length === 0
        ? {}
        : { ExposedPorts: Object.fromEntries(exposed.map((port) => [port, {}])) }),
      ...optional("StopSignal", template.stopSignal),
      StopTimeout: stopSeconds(template.stopGraceMs),
      ...(template.healthcheck === undefined ? {} : { Healthcheck: healthcheckBody(template.healthcheck) }),
      HostConfig: hostConfig(template, names),
    },
    seats: networkSeats(template, name, service.name),
  };
}

/** The engine counts the grace in whole seconds; a person's 500 ms must not become an instant kill. */
export function stopSeconds(stopGraceMs: number): number {
  return Math.ceil(stopGraceMs / 1000);
}

function hostConfig(template: ReplicaTemplate, names: ResolvedNames): HostConfig {
  const { resources, container } = template;
  const binds = template.mounts.filter(isBindString);
  const mounts = template.mounts.filter((mount) => !isBindString(mount));
  return {
    NetworkMode: names.networkMode ?? template.networks[0]?.network ?? "none",
    RestartPolicy: restartPolicy(template.restart.compose),
    ...(template.ports.length === 0 ? {} : { PortBindings: portBindings(template.ports) }),
    ...(binds.length === 0 ? {} : { Binds: binds.map(bindString) }),
    ...(mounts.length === 0 ? {} : { Mounts: mounts.map(mountSpec) }),
    ...optional("NanoCpus", scaled(resources.limitCores, NANO_CPUS_PER_CORE)),
    ...optional("Memory", resources.limitMemoryBytes),
    ...optional("MemoryReservation", resources.reservedMemoryBytes),
    ...optional("PidsLimit", resources.limitPids),
    ...optional("MemorySwap", container.memorySwapBytes),
    ...optional("MemorySwappiness", container.memorySwappiness),
    ...optional("CpuShares", container.cpuShares),
    ...optional("CpusetCpus", container.cpuset),
    ...optional("OomScoreAdj", container.oomScoreAdj),
    ...optional("OomKillDisable", container.oomKillDisable),
    ...optional("CgroupParent", container.cgroupParent),
    ...optional("ShmSize", container.shmSizeBytes),
    ...optional("Init", container.init),
    ...optional("Privileged", container.privileged),
    ...optional("ReadonlyRootfs", container.readOnly),
    ...optional("CapAdd", container.capAdd),
    ...optional("CapDrop", container.capDrop),
    ...optional("SecurityOpt", container.securityOpt),
    ...optional("GroupAdd", container.groupAdd),
    ...optional("Dns", container.dns),
    ...optional("DnsSearch", container.dnsSearch),
    ...optional("DnsOptions", container.dnsOptions),
    ...optional("ExtraHosts", container.extraHosts),
    ...optional("Sysctls", container.sysctls),
    ...optional("PidMode", names.pidMode),
    ...optional("IpcMode", names.ipcMode),
    ...optional("UsernsMode", container.usernsMode),
    ...optional("Runtime", container.runtime),
    ...optional(
      "Devices",
      container.devices?.map(({ source, target, permissions }) => ({
        PathOnHost: source,
        PathInContainer: target,
        CgroupPermissions: permissions,
      })),
    ),
    ...optional(
      "Ulimits",
      container.ulimits?.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })),
    ),
    ...(container.logDriver === undefined && container.logOptions === undefined
      ? {}
      : { LogConfig: { Type: container.logDriver ?? "", Config: container.logOptions ?? {} } }),
  };
}

function networkSeats(template: ReplicaTemplate, containerName: string, service: string): NetworkSeat[] {
  if (template.networkMode !== undefined) return [];
  return template.networks.map(({ network, aliases, ipv4Address, ipv6Address }) => ({
    network,
    endpoint: {
      Aliases: [...new Set([containerName, service, ...aliases])],
      ...(ipv4Address === undefined && ipv6Address === undefined
        ? {}
        : {
            IPAMConfig: { ...optional("IPv4Address", ipv4Address), ...optional("IPv6Address", ipv6Address) },
          }),
    },
  }));
}

function exposedPorts(template: ReplicaTemplate): string[] {
  const published = template.ports.map(({ target, protocol }) => `${target}/${protocol}`);
  const exposed = template.exposedPorts.map((port) => (port.includes("/") ? port : `${port}/tcp`));
  return [...new Set([...published, ...exposed])];
}

function portBindings(ports: readonly PortMapping[]): Record<string, PortBinding[]> {
  const bindings: Record<string, PortBinding[]> = {};
  for (const { target, protocol, hostIp, published } of ports) {
    const key = `${target}/${protocol}`;
    bindings[key] = [...(bindings[key] ?? []), { HostIp: hostIp ?? "", HostPort: published ?? "" }];
  }
  return bindings;
}

/** Only the string form can have its missing source made by engines before 23.0; a colon in the path rules it out. */
function isBindString(mount: Mount): boolean {
  return (
    mount.type === "bind" && mount.createHostPath === true && !/:/u.test(`${mount.source}${mount.target}`)
  );
}

function bindString({ source, target, readOnly, propagation }: Mount): string {
  const options = [readOnly ? "ro" : "rw", ...(propagation === undefined ? [] : [propagation])];
  return `${source}:${target}:${options.join(",")}`;
}

function mountSpec(mount: Mount): MountSpec {
  return {
    Type: mount.type,
    ...optional("Source", mount.source),
    Target: mount.target,
    ReadOnly: mount.readOnly,
    ...(mount.propagation === undefined ? {} : { BindOptions: { Propagation: mount.propagation } }),
    ...(mount.noCopy === undefined ? {} : { VolumeOptions: { NoCopy: mount.noCopy } }),
    ...(mount.tmpfsSizeBytes === undefined && mount.tmpfsMode === undefined
      ? {}
      : {
          TmpfsOptions: {
            ...optional("SizeBytes", mount.tmpfsSizeBytes),
            ...optional("Mode", mount.tmpfsMode),
          },
        }),
  };
}

/** Absent in the file means that Flyball restarts; the engine doing it too would be two masters. */
function restartPolicy(compose: string | undefined): { Name: string; MaximumRetryCount?: number } {
  const [name = "no", retries] = (compose ?? "no").split(":");
  return { Name: name, ...(retries === undefined ? {} : { MaximumRetryCount: Number(retries) }) };
}

function healthcheckBody(healthcheck: Healthcheck): object {
  const { test, intervalMs, timeoutMs, retries, startPeriodMs, startIntervalMs } = healthcheck;
  return {
    Test: test,
    Interval: intervalMs * NANOSECONDS_PER_MS,
    Timeout: timeoutMs * NANOSECONDS_PER_MS,
    Retries: retries,
    StartPeriod: startPeriodMs * NANOSECONDS_PER_MS,
    ...optional("StartInterval", scaled(startIntervalMs, NANOSECONDS_PER_MS)),
  };
}

function scaled(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : Math.round(value * factor);
}

/** `{ key: value }`, or nothing to spread when there is no value. */
function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  const field: { [P in K]?: V } = {};
  if (value !== undefined) field[key] = value;
  return field;
}
