import type { Mount, PortMapping, Service, ServiceId } from "../../core/types.ts";

/** A path, volume or anonymous volume in a replica. */
export type MountFact = Pick<Mount, "type" | "source" | "target" | "readOnly">;

/** What runs of a service, as far as it decides whether there can be more of it. */
export interface RunningFacts {
  readonly ports: readonly PortMapping[];
  readonly networkMode?: string;
  readonly addresses: readonly { readonly network: string; readonly address: string }[];
  readonly macAddresses: readonly string[];
  /** Containers that it was linked to, as `db`. */
  readonly links: readonly string[];
  /** Paths on the host. */
  readonly devices: readonly string[];
  /** Ids of cards that were given to it by name. */
  readonly gpus: readonly string[];
  readonly mounts: readonly MountFact[];
  /** The engine's own policy: `no`, `always`, `unless-stopped`, `on-failure`. */
  readonly restart?: string;
  /** The engine removes it as soon as it ends. */
  readonly autoRemove: boolean;
  readonly hostname?: string;
  /** Files that compose copied into it, which no definition tells of. */
  readonly injectedFiles: readonly string[];
  /** Its tag means another image by now. */
  readonly movedImage?: {
    readonly tag: string;
    readonly runningId: string;
    /** Absent: the tag means none. */
    readonly tagId?: string;
  };
}

/** All that is known of a service when the question is whether it can have more replicas. */
export interface ScalingFacts extends RunningFacts {
  readonly service: ServiceId;
  readonly name: string;
  readonly image?: string;
  /** Replicas that it should be able to have: its maximum, else two. */
  readonly mostReplicas: number;
  readonly leastReplicas: number;
  readonly containerName?: string;
  readonly global: boolean;
  /** A replica that ends is left as it is. */
  readonly staysEnded: boolean;
  /** What reading the compose file found already. */
  readonly singleReplicaReason?: string;
}

export const NOTHING_RUNS: RunningFacts = {
  ports: [],
  addresses: [],
  macAddresses: [],
  links: [],
  devices: [],
  gpus: [],
  mounts: [],
  autoRemove: false,
  injectedFiles: [],
};

/** What the compose file says, together with what runs (and may have been made from another one). */
export function factsOf(service: Service, running: RunningFacts = NOTHING_RUNS): ScalingFacts {
  const { template, scaling } = service;
  const { container } = template;
  const networkMode = template.networkMode ?? running.networkMode;
  const hostname = container.hostname ?? running.hostname;
  const restart = template.restart.compose ?? running.restart;
  const known = addressesOf(service);
  return {
    service: service.id,
    name: service.name,
    ...(template.image === undefined ? {} : { image: template.image }),
    mostReplicas: scaling?.maxReplicas ?? Math.max(2, service.initialReplicas),
    leastReplicas: scaling?.minReplicas ?? service.initialReplicas,
    staysEnded: template.restart.condition === "none",
    global: service.global === true,
    ...(container.containerName === undefined ? {} : { containerName: container.containerName }),
    ...(service.singleReplicaReason === undefined
      ? {}
      : { singleReplicaReason: service.singleReplicaReason }),
    ports: unique([...template.ports, ...running.ports], portKey),
    ...(networkMode === undefined ? {} : { networkMode }),
    addresses: unique([...known, ...running.addresses], ({ network, address }) => `${network} ${address}`),
    macAddresses: running.macAddresses,
    links: running.links,
    devices: unique([...(container.devices ?? []).map(({ source }) => source), ...running.devices], String),
    gpus: running.gpus,
    mounts: unique([...template.mounts, ...running.mounts], ({ target }) => target),
    ...(restart === undefined ? {} : { restart }),
    autoRemove: running.autoRemove,
    ...(hostname === undefined ? {} : { hostname }),
    injectedFiles: running.injectedFiles,
    ...(running.movedImage === undefined ? {} : { movedImage: running.movedImage }),
  };
}

/** Both together; of what both know in their own words, the file's words count. */
export function combined(file: RunningFacts, engine: RunningFacts): RunningFacts {
  return {
    ...engine,
    macAddresses: unique([...file.macAddresses, ...engine.macAddresses], (mac) => mac.toLowerCase()),
    links: file.links.length > 0 ? file.links : engine.links,
  };
}

function addressesOf({ template }: Service): { network: string; address: string }[] {
  return template.networks.flatMap(({ network, ipv4Address, ipv6Address }) =>
    [ipv4Address, ipv6Address].flatMap((address) => (address === undefined ? [] : [{ network, address }])),
  );
}

function portKey({ published, target, protocol }: PortMapping): string {
  return `${published ?? ""}:${target}/${protocol}`;
}

/** The first of each key. */
function unique<T>(values: readonly T[], keyOf: (value: T) => string): T[] {
  const byKey = new Map<string, T>();
  for (const value of values) if (!byKey.has(keyOf(value))) byKey.set(keyOf(value), value);
  return [...byKey.values()];
}
