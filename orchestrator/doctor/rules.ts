import type { PortMapping } from "../../core/types.ts";
import { dataOwner, isShared } from "./data-directories.ts";
import type { MountFact, ScalingFacts } from "./facts.ts";

/** One thing that stands in the way of more replicas, or that a person should know before. */
export interface Finding {
  /** Stable, for programs: `host-port`, `static-ip` … */
  readonly rule: string;
  /** `cannot` by what the service is · `after` a change of the compose file · `note` nothing stands in the way. */
  readonly effect: "cannot" | "after" | "note";
  /** A clause that follows "because". */
  readonly because: string;
  /** What to do, as an instruction. */
  readonly change: string;
}

export type Rule = (facts: ScalingFacts) => readonly Finding[];

/** Devices that any number of containers can open at once. */
const SHARED_DEVICES = /^\/dev\/(?:null|zero|full|u?random|fuse|kvm|net\/tun|dri(?:\/.*)?|loop-control)$/u;

const hostPorts: Rule = ({ ports, mostReplicas }) =>
  ports.flatMap(({ published, target, protocol }): Finding[] => {
    const range = rangeOf(published);
    if (range === undefined) return [];
    const wide = `"${range.first}-${range.first + mostReplicas - 1}:${target}${suffix(protocol)}"`;
    if (range.size === 1) {
      return [
        {
          rule: "host-port",
          effect: "after",
          because: `host port ${range.first} is fixed, and one container at a time can have it`,
          change: `publish "${target}${suffix(protocol)}" alone, or the range ${wide}, with a load balancer before it`,
        },
      ];
    }
    if (range.size >= mostReplicas) return [];
    return [
      {
        rule: "port-range",
        effect: "after",
        because: `host ports ${published} are enough for ${range.size} replicas, and there may be ${mostReplicas}`,
        change: `widen the range to ${wide}, or set autoscale.max to ${range.size}`,
      },
    ];
  });

const staticAddresses: Rule = ({ addresses }) =>
  addresses.map(({ network, address }) => ({
    rule: "static-ip",
    effect: "after",
    because: `its address ${address} on ${network} is fixed, and one container at a time can have it`,
    change: `remove ${address.includes(":") ? "ipv6_address" : "ipv4_address"} ${address}, and use the service's name where the address is used`,
  }));

const macAddresses: Rule = ({ macAddresses: all }) =>
  all.map((mac) => ({
    rule: "mac-address",
    effect: "after",
    because: `its MAC address ${mac} is fixed, and two containers with one address lose packets without an error`,
    change: `remove mac_address ${mac}`,
  }));

const containerNames: Rule = ({ containerName, name }) =>
  containerName === undefined
    ? []
    : [
        {
          rule: "container-name",
          effect: "after",
          because: `container_name is fixed to ${containerName}, and one container at a time can have it`,
          change: `remove container_name ${containerName}, and use the service's name ${name} where it is used`,
        },
      ];

const networkModes: Rule = ({ networkMode }) => {
  if (networkMode === "host") {
    return [
      {
        rule: "network-mode",
        effect: "cannot",
        because: "it uses the host's network, where every replica wants the same ports",
        change: "remove network_mode: host, and publish its ports instead",
      },
    ];
  }
  const [kind, other] = networkMode?.split(":", 2) ?? [];
  if (other === undefined || (kind !== "container" && kind !== "service")) return [];
  return [
    {
      rule: "network-mode",
      effect: "cannot",
      because: `it lives in the network of ${kind} ${shortened(other)}, where every replica wants the same ports`,
      change: `remove network_mode: ${kind}:${shortened(other)}, and put both on one network`,
    },
  ];
};

const devices: Rule = ({ devices: all }) =>
  all
    .filter((device) => !SHARED_DEVICES.test(device))
    .map((device) => ({
      rule: "device",
      effect: "cannot",
      because: `device ${device} is for one container at a time`,
      change: `make a service of its own of what uses ${device}, and scale the rest`,
    }));

const gpus: Rule = ({ gpus: ids }) =>
  ids.length === 0
    ? []
    : [
        {
          rule: "gpu",
          effect: "cannot",
          because: `GPU ${ids.join(", ")} is given to it by id, and every replica would take the same`,
          change:
            "ask for a count of GPUs in place of device_ids, on a host that has as many for each replica",
        },
      ];

const data: Rule = ({ mounts, image, name }) =>
  mounts.filter(isWritable).flatMap((mount): Finding[] => {
    const what = `${mount.type === "bind" ? "directory" : "volume"} ${mount.source}`;
    const owner = dataOwner(mount.target, image);
    if (owner === undefined) {
      return [
        {
          rule: "shared-writes",
          effect: "note",
          because: `all replicas write ${what} at ${mount.target}`,
          change: `mount it read-only, or see to it that ${name} takes others that write there`,
        },
      ];
    }
    return [
      {
        rule: "single-writer",
        effect: "cannot",
        because: `${what} at ${mount.target} is the data directory of ${owner}, and two that write it destroy it`,
        change: `keep one replica, or make the others followers with ${owner}'s own replication, each a service with a volume of its own`,
      },
    ];
  });

const links: Rule = ({ links: all }) =>
  all.map((link) => ({
    rule: "links",
    effect: "after",
    because: `the link to ${link} is to one container of it, and breaks when that one is replaced`,
    change: `remove ${link} from links; on one network services find each other by name`,
  }));

const restartTraps: Rule = ({ restart, autoRemove, staysEnded }) => [
  ...(autoRemove
    ? [
        {
          rule: "auto-remove",
          effect: "after",
          because: "the engine removes its containers as soon as they end (--rm), with all that tells why",
          change: "make its containers without --rm",
        } as const,
      ]
    : []),
  ...(restart === "always" || restart === "unless-stopped"
    ? [
        {
          rule: "restart-policy",
          effect: "note",
          because: `restart: ${restart} has the engine start a container again that was only stopped, at its own next start`,
          change:
            "remove a replica that you want gone (docker rm -f) in place of stopping it, as Flyball does",
        } as const,
      ]
    : []),
  ...(staysEnded
    ? [
        {
          rule: "restart-policy",
          effect: "note",
          because: "a replica that ends is left as it is, and the others carry its load",
          change: "write restart: unless-stopped",
        } as const,
      ]
    : []),
];

const injected: Rule = ({ injectedFiles, leastReplicas }) => {
  if (injectedFiles.length === 0) return [];
  const because = `compose copied ${injectedFiles.join(", ")} into its containers, and nothing but another replica has ${injectedFiles.length === 1 ? "it" : "them"}`;
  return leastReplicas > 0
    ? [
        {
          rule: "injected-files",
          effect: "note",
          because,
          change:
            "keep one replica at least, from which Flyball copies; or mount a file in place of content: or environment:",
        },
      ]
    : [
        {
          rule: "injected-files",
          effect: "after",
          because,
          change: "set autoscale.min to 1, or mount a file in place of content: or environment:",
        },
      ];
};

const movedImages: Rule = ({ movedImage }) => {
  if (movedImage === undefined) return [];
  const { tag, runningId, tagId } = movedImage;
  const now = tagId === undefined ? "means no image any more" : `is image ${shortened(tagId)} by now`;
  return [
    {
      rule: "moved-image",
      effect: "note",
      because: `${tag} ${now}, and its replicas run ${shortened(runningId)}: more are made of what runs`,
      change:
        tagId === undefined
          ? `pull or build ${tag} again`
          : `run docker compose up -d or flyball up to bring all replicas to the new ${tag}`,
    },
  ];
};

const hostnames: Rule = ({ hostname }) =>
  hostname === undefined
    ? []
    : [
        {
          rule: "hostname",
          effect: "note",
          because: `hostname ${hostname} is the same in every replica`,
          change: "remove hostname where the program tells its peers apart by it",
        },
      ];

const globals: Rule = ({ global }) =>
  global
    ? [
        {
          rule: "global",
          effect: "cannot",
          because: "its mode is global: exactly one on each node",
          change: "write deploy.mode: replicated",
        },
      ]
    : [];

const ownPorts: Rule = ({ ports }) =>
  ports.slice(0, 1).map(({ target }) => ({
    rule: "port-variable",
    effect: "note",
    because: "each replica is given a port of its own in the variable PORT",
    change: `have the command listen on $PORT, not on ${target}`,
  }));

/** In the order in which they are told. */
export const CONTAINER_RULES: readonly Rule[] = [
  globals,
  networkModes,
  data,
  devices,
  gpus,
  hostPorts,
  staticAddresses,
  macAddresses,
  containerNames,
  links,
  restartTraps,
  injected,
  movedImages,
  hostnames,
];

/** Replicas that are processes share the host's names and files anyway, and each has its own port. */
export const PROCESS_RULES: readonly Rule[] = [globals, ownPorts];

function rangeOf(published: string | undefined): { first: number; size: number } | undefined {
  const [, from, to = from] = /^(\d+)(?:-(\d+))?$/u.exec(published ?? "") ?? [];
  if (from === undefined || to === undefined) return undefined;
  return { first: Number(from), size: Math.max(1, Number(to) - Number(from) + 1) };
}

function suffix(protocol: PortMapping["protocol"]): string {
  return protocol === "tcp" ? "" : `/${protocol}`;
}

/** Anonymous volumes are fresh for each replica, and a socket or a device is no data. */
function isWritable(mount: MountFact): mount is MountFact & { readonly source: string } {
  return mount.type !== "tmpfs" && !mount.readOnly && mount.source !== undefined && !isShared(mount.source);
}

/** An id as people know it. */
function shortened(id: string): string {
  const hex = id.replace(/^sha256:/u, "");
  return /^[0-9a-f]{64}$/u.test(hex) ? hex.slice(0, 12) : id;
}
