import { isAnonymousVolume } from "./anonymous-volume.ts";
import { COMPOSE_LABELS, cloneLabels, type ReplicaIdentity, replicaName } from "./labels.ts";
import type {
  ContainerPlan,
  Endpoint,
  HostConfig,
  InspectedContainer,
  MountSpec,
  NetworkSeat,
} from "./wire.ts";

/** The engine's own networks, which know no aliases. */
const UNNAMED_NETWORKS = new Set(["default", "bridge", "host", "none"]);

/**
 * One more replica like `original`, which somebody else made: the same in everything but what must be its own (name,
 * number, hostname, addresses, anonymous volumes).
 * @param tagImageId the id that the original's image name stands for now; undefined when it no longer resolves
 */
export function planFromClone(
  original: InspectedContainer,
  identity: ReplicaIdentity,
  tagImageId: string | undefined,
): ContainerPlan {
  const { Config: config, HostConfig: host } = original;
  const originalName = original.Name.replace(/^\//u, "");
  const name = cloneName(originalName, config.Labels?.[COMPOSE_LABELS.number], identity);
  const sharesNetwork = host.NetworkMode?.startsWith("container:") === true;
  const ownHostname = !sharesNetwork && host.UTSMode !== "host" && config.Hostname !== shortId(original.Id);
  const { Hostname, Domainname, MacAddress: _, ExposedPorts, Volumes, ...rest } = config;
  const { binds, inherited } = splitBinds(host.Binds ?? []);
  const volumes = { ...Volumes, ...Object.fromEntries(inherited.map((target) => [target, {}])) };
  return {
    name,
    body: {
      ...rest,
      Image: imageOf(original, tagImageId),
      Labels: cloneLabels(config.Labels ?? {}, original.Id, identity),
      ...(ownHostname && Hostname !== undefined ? { Hostname } : {}),
      ...(sharesNetwork || Domainname === undefined ? {} : { Domainname }),
      ...(sharesNetwork || ExposedPorts === undefined ? {} : { ExposedPorts }),
      ...(Object.keys(volumes).length === 0 ? {} : { Volumes: volumes }),
      HostConfig: cloneHostConfig(host, binds, sharesNetwork),
    },
    seats: sharesNetwork ? [] : seatsOf(original, originalName, name),
  };
}

/** The tag may have moved on to a newer image since: a clone must be of what runs. */
function imageOf(original: InspectedContainer, tagImageId: string | undefined): string {
  const tag = original.Config.Image;
  return tag !== undefined && tagImageId === original.Image ? tag : original.Image;
}

function cloneHostConfig(host: HostConfig, binds: readonly string[], sharesNetwork: boolean): HostConfig {
  const { ContainerIDFile: _, Binds: __, Links, Mounts, PortBindings, PublishAllPorts, ...rest } = host;
  return {
    ...rest,
    ...(binds.length === 0 ? {} : { Binds: binds }),
    ...(Links === undefined || Links === null ? {} : { Links: Links.map(linkAsAsked) }),
    ...(Mounts === undefined || Mounts === null ? {} : { Mounts: Mounts.map(freshWhenAnonymous) }),
    ...(sharesNetwork ? {} : { PortBindings: PortBindings ?? {}, PublishAllPorts: PublishAllPorts ?? false }),
  };
}

/** `/db-1:/web-1/db`, as inspect shows it, to `db-1:db`, as create takes it. */
function linkAsAsked(link: string): string {
  const [target = "", alias = ""] = link.split(":");
  return `${target.replace(/^\//u, "")}:${alias.slice(alias.lastIndexOf("/") + 1)}`;
}

function freshWhenAnonymous(mount: MountSpec): MountSpec {
  if (mount.Type !== "volume" || mount.Source === undefined || !isAnonymousVolume(mount.Source)) return mount;
  const { Source: _, ...fresh } = mount;
  return fresh;
}

function splitBinds(all: readonly string[]): { binds: string[]; inherited: string[] } {
  const binds: string[] = [];
  const inherited: string[] = [];
  for (const bind of all) {
    const [source = "", target = ""] = bind.split(":");
    if (isAnonymousVolume(source)) inherited.push(target);
    else binds.push(bind);
  }
  return { binds, inherited };
}

/** The network that the container was created with comes first: it is the one its `NetworkMode` names. */
function seatsOf(original: InspectedContainer, originalName: string, name: string): NetworkSeat[] {
  const mode = original.HostConfig.NetworkMode;
  return Object.entries(original.NetworkSettings.Networks ?? {})
    .filter(([network]) => !UNNAMED_NETWORKS.has(network))
    .map(([network, endpoint]) => ({
      network,
      endpoint: cloneEndpoint(endpoint, original, originalName, name),
    }))
    .sort((a, b) => Number(b.network === mode) - Number(a.network === mode));
}

function cloneEndpoint(
  endpoint: Endpoint,
  original: InspectedContainer,
  originalName: string,
  name: string,
): Endpoint {
  const aliases = (endpoint.Aliases ?? [])
    .filter((alias) => alias !== shortId(original.Id))
    .map((alias) => (alias === originalName ? name : alias));
  return {
    Aliases: [...new Set(aliases)],
    ...(endpoint.Links === undefined || endpoint.Links === null ? {} : { Links: endpoint.Links }),
    ...(endpoint.DriverOpts === undefined || endpoint.DriverOpts === null
      ? {}
      : { DriverOpts: endpoint.DriverOpts }),
    ...(endpoint.GwPriority === undefined ? {} : { GwPriority: endpoint.GwPriority }),
  };
}

/** Compose v1 joined the parts by `_`, v2 by `-`; a name of another form cannot be counted on. */
function cloneName(originalName: string, number: string | undefined, identity: ReplicaIdentity): string {
  const { project, service, slot } = identity;
  const isVersion1 = originalName === `${project.name}_${service.name}_${number}`;
  return isVersion1
    ? `${project.name}_${service.name}_${slot}`
    : replicaName(project.name, service.name, slot);
}

function shortId(id: string): string {
  return id.slice(0, 12);
}
