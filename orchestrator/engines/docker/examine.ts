import { serviceIdOf } from "../../../core/ids.ts";
import type { PortMapping, Project, ServiceId } from "../../../core/types.ts";
import type { MountFact, RunningFacts } from "../../doctor/facts.ts";
import { OWNER_LABELS } from "../../engine.ts";
import { isAnonymousVolume } from "./anonymous-volume.ts";
import { imageIdOf, inspectContainer, listContainers } from "./api.ts";
import { mapConcurrent } from "./concurrent.ts";
import type { DockerConnection } from "./connect.ts";
import { isGone } from "./errors.ts";
import { injectedFiles } from "./injected-files.ts";
import { COMPOSE_LABELS } from "./labels.ts";
import type { InspectedContainer, ListedContainer } from "./wire.ts";

const CONCURRENCY = 4;

/** One container of each service, as far as it decides whether there can be more of it. */
export async function examine(
  connection: DockerConnection,
  project: Project,
  signal: AbortSignal,
): Promise<ReadonlyMap<ServiceId, RunningFacts>> {
  const listed = await listContainers(connection, project.name, { signal });
  const replicas = listed.filter(
    ({ Labels }) =>
      Labels?.[COMPOSE_LABELS.service] !== undefined && Labels[COMPOSE_LABELS.oneoff] !== "True",
  );
  const byService = Map.groupBy(replicas, ({ Labels }) => Labels?.[COMPOSE_LABELS.service] ?? "");
  const found = await mapConcurrent([...byService], CONCURRENCY, async ([name, containers]) => {
    const [chosen] = containers.toSorted((a, b) => rank(a) - rank(b));
    if (chosen === undefined) return [];
    const facts = await factsOfContainer(connection, chosen.Id, signal).catch((error: unknown) => {
      if (isGone(error)) return undefined;
      throw error;
    });
    return facts === undefined ? [] : [[serviceIdOf(project.name, name), facts] as const];
  });
  return new Map(found.flat());
}

/** What runs tells more than what does not, and what compose made more than what we made after it. */
function rank({ State, Labels, Created }: ListedContainer): number {
  const isOurs = Labels?.[OWNER_LABELS.owner] !== undefined;
  return (State === "running" ? 0 : 2) + (isOurs ? 1 : 0) + (Created ?? 0) / 1e12;
}

async function factsOfContainer(
  connection: DockerConnection,
  id: string,
  signal: AbortSignal,
): Promise<RunningFacts> {
  const container = await inspectContainer(connection, id, { signal });
  const tag = container.Config.Image;
  const tagId = tag === undefined ? undefined : await imageIdOf(connection, tag, { signal });
  const { paths } = await injectedFiles(connection, container, signal);
  const isMoved = tag !== undefined && !tag.startsWith("sha256:") && tagId !== container.Image;
  return {
    ...factsFromInspect(container),
    injectedFiles: paths,
    ...(isMoved
      ? { movedImage: { tag, runningId: container.Image, ...(tagId === undefined ? {} : { tagId }) } }
      : {}),
  };
}

/** What one look at a container tells, without asking anything else. */
function factsFromInspect(container: InspectedContainer): RunningFacts {
  const { Config, HostConfig } = container;
  const networks = Object.entries(container.NetworkSettings.Networks ?? {});
  const mode = HostConfig.NetworkMode;
  const isSharedMode = mode === "host" || mode?.startsWith("container:") === true;
  const hostname = Config.Hostname;
  const hasOwnHostname =
    !isSharedMode && hostname !== undefined && hostname !== "" && !container.Id.startsWith(hostname);
  const restart = HostConfig.RestartPolicy?.Name;
  const mac = Config.MacAddress;
  return {
    ports: portsOf(container),
    ...(isSharedMode && mode !== undefined ? { networkMode: mode } : {}),
    addresses: networks.flatMap(([network, { IPAMConfig }]) =>
      [IPAMConfig?.IPv4Address, IPAMConfig?.IPv6Address].flatMap((address) =>
        address === undefined || address === "" ? [] : [{ network, address }],
      ),
    ),
    macAddresses: mac === undefined || mac === "" ? [] : [mac],
    links: linksOf(container),
    devices: (HostConfig.Devices ?? []).flatMap(({ PathOnHost }) => PathOnHost ?? []),
    gpus: (HostConfig.DeviceRequests ?? []).flatMap(({ DeviceIDs }) => DeviceIDs ?? []),
    mounts: mountsOf(container),
    ...(restart === undefined ? {} : { restart: restart === "" ? "no" : restart }),
    autoRemove: HostConfig.AutoRemove === true,
    ...(hasOwnHostname ? { hostname } : {}),
    injectedFiles: [],
  };
}

function portsOf({ HostConfig }: InspectedContainer): PortMapping[] {
  return Object.entries(HostConfig.PortBindings ?? {}).flatMap(([key, bindings]) => {
    const [target, protocol = "tcp"] = key.split("/");
    if (protocol !== "tcp" && protocol !== "udp" && protocol !== "sctp") return [];
    return (bindings ?? []).map(({ HostPort }) => ({
      target: Number(target),
      protocol,
      ...(HostPort === undefined || HostPort === "" || HostPort === "0" ? {} : { published: HostPort }),
    }));
  });
}

/** The containers that it is linked to, by their names: `/db-1:/web-1/db` for all networks, `db-1:db` in one. */
function linksOf({ HostConfig, NetworkSettings }: InspectedContainer): string[] {
  const all = [
    ...(HostConfig.Links ?? []),
    ...Object.values(NetworkSettings.Networks ?? {}).flatMap(({ Links }) => Links ?? []),
  ];
  return [...new Set(all.map((link) => (link.split(":", 1)[0] ?? link).replace(/^\//u, "")))];
}

function mountsOf({ HostConfig }: InspectedContainer): MountFact[] {
  const binds = (HostConfig.Binds ?? []).map((bind): MountFact => {
    const [source = "", target = "", options = ""] = bind.split(":");
    const type = source.startsWith("/") ? "bind" : "volume";
    return { type, ...named(source), target, readOnly: options.split(",").includes("ro") };
  });
  const mounts = (HostConfig.Mounts ?? []).flatMap(({ Type, Source, Target, ReadOnly }): MountFact[] =>
    Type === "bind" || Type === "volume" || Type === "tmpfs"
      ? [{ type: Type, ...named(Source), target: Target, readOnly: ReadOnly === true }]
      : [],
  );
  return [...binds, ...mounts];
}

function named(source: string | undefined): { source?: string } {
  return source === undefined || source === "" || isAnonymousVolume(source) ? {} : { source };
}
