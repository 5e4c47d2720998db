import type {
  ObservedReplica,
  ReplicaId,
  Service,
  ServiceId,
  TrafficDoor,
  TrafficPolicy,
} from "../core/types.ts";
import { rampedWeight } from "./ramp.ts";
import { type Shares, withShares } from "./shares.ts";

/** What the balancer should have: where it listens, what leads where, and who serves. */
export interface TrafficTable {
  readonly fronts: readonly Front[];
  /** In the order of their names. */
  readonly backends: readonly Backend[];
  /** Doors that lead nowhere, and why. */
  readonly held: readonly HeldDoor[];
  /** Who has what: to be given to the next table, so that the first that had it keeps it. */
  readonly owners: Owners;
}

/** Name of an address, or of a host with a path → the back-end that has it. */
export type Owners = Readonly<Record<string, string>>;

/** An address that is listened on. */
export interface Front {
  readonly mode: "http" | "tcp";
  readonly host: string;
  readonly port: number;
  /** In the order of their names; a front of one back-end alone has a single one for everything. */
  readonly routes: readonly Route[];
}

export interface Route {
  /** Absent: every host. */
  readonly domain?: string;
  readonly path: string;
  readonly backend: string;
}

/** One port of one service. */
export interface Backend {
  readonly name: string;
  readonly service: ServiceId;
  readonly mode: "http" | "tcp";
  readonly sticky: boolean;
  readonly timeoutMs: number;
  /** Two templates have shares of its requests: they are counted out, and not given to who has least to do. */
  readonly byShare: boolean;
  /** In the order of their names. */
  readonly servers: readonly Server[];
  /** The service may have no replica: where those who ask for it then are held, on this machine. */
  readonly waker?: { readonly host: string; readonly port: number };
}

/** A replica that takes new requests. */
export interface Server {
  /** Of letters, digits, dots and dashes; the same for as long as the replica lives. */
  readonly name: string;
  readonly replica: ReplicaId;
  readonly host: string;
  readonly port: number;
  /** 1 to 100. */
  readonly weight: number;
}

export interface HeldDoor {
  readonly service: ServiceId;
  /** The address, or the host and path. */
  readonly what: string;
  readonly reason: string;
}

export interface TableInput {
  readonly services: readonly Service[];
  readonly replicas: readonly ObservedReplica[];
  /** False: replicas that are not seen may well exist, and those that served go on serving. */
  readonly complete: boolean;
  /** Those that are to get nothing new. */
  readonly draining: ReadonlySet<ReplicaId>;
  /** Where doors without an address of their own listen. */
  readonly http: { readonly host: string; readonly port: number };
  /** Addresses that cannot be listened on, as `host:port`, and why. */
  readonly taken: ReadonlyMap<string, string>;
  /** Of services of which two templates stand side by side. */
  readonly shares?: Shares;
  /** Since when each replica takes requests; one that is not here begins now. */
  readonly sinceMs: ReadonlyMap<ReplicaId, number>;
  /** Who had what in the table before. */
  readonly owners: Owners;
  readonly previous?: TrafficTable;
  readonly nowMs: number;
}

/** Replicas take requests when they run and are ready, and neither before nor after. */
export function buildTable(input: TableInput): TrafficTable {
  const services = input.services.toSorted((a, b) => compare(a.id, b.id));
  const wanted = services.flatMap((service) => claimsOf(service, input.http));
  const { granted, held, owners } = settle(wanted, input);
  const backends = new Map(
    granted.map(({ service, door, policy, backend }) => [
      backend,
      {
        name: backend,
        service: service.id,
        mode: door.mode,
        sticky: policy.sticky && door.mode === "http",
        timeoutMs: policy.timeoutMs,
        byShare: input.shares?.has(service.id) === true,
        servers: serversOf(service, door, backend, input),
      },
    ]),
  );
  return {
    fronts: frontsOf(granted),
    backends: [...backends.values()].sort((a, b) => compare(a.name, b.name)),
    held,
    owners,
  };
}

/** One thing that a door wants for itself: an address, or a host with a path behind a shared one. */
interface Claim {
  readonly service: Service;
  readonly policy: TrafficPolicy;
  readonly door: TrafficDoor;
  readonly backend: string;
  readonly host: string;
  readonly port: number;
  /** `host:port`. */
  readonly address: string;
  /** Absent: the whole address. */
  readonly route?: { readonly domain?: string; readonly path: string };
  /** What of it there is once only. */
  readonly key: string;
  readonly what: string;
}

function claimsOf(service: Service, http: TableInput["http"]): Claim[] {
  const { traffic: policy } = service;
  if (policy === undefined) return [];
  return policy.doors.flatMap((door): Claim[] => {
    const host = door.listen?.host ?? http.host;
    const port = door.listen?.port ?? http.port;
    const address = addressText(host, port);
    const backend = `${service.id}:${door.port ?? "first"}${door.mode === "tcp" ? ":tcp" : ""}`;
    const base = { service, policy, door, backend, host, port, address };
    const alone = door.mode === "tcp" || (door.listen !== undefined && door.domains.length === 0);
    if (alone) return [{ ...base, key: address, what: address }];
    const domains = door.domains.length === 0 ? [undefined] : door.domains;
    return domains.map((domain) => {
      const what = `${domain ?? "*"}${door.path}`;
      const route = { ...(domain === undefined ? {} : { domain }), path: door.path };
      return { ...base, route, key: `${address} ${what}`, what };
    });
  });
}

interface Settled {
  readonly granted: readonly Claim[];
  readonly held: readonly HeldDoor[];
  readonly owners: Owners;
}

/** Who had it keeps it; else the first by name. An address is either shared by routes or somebody's alone. */
function settle(claims: readonly Claim[], { taken, owners: before, http }: TableInput): Settled {
  const hadIt = ({ key, backend }: Claim) => before[key] === backend;
  const granted: Claim[] = [];
  const held: HeldDoor[] = [];
  const owners: Record<string, string> = {};
  const kinds = new Map([[addressText(http.host, http.port), "shared"]]);
  for (const claim of [...claims.filter(hadIt), ...claims.filter((claim) => !hadIt(claim))]) {
    const { service, address, key, backend, route } = claim;
    const kind = route === undefined ? "alone" : "shared";
    const owner = owners[key];
    const trouble = taken.get(address);
    const hold = (reason: string) => held.push({ service: service.id, what: claim.what, reason });
    if (owner === backend) continue;
    if (owner !== undefined) hold(`${serviceOf(owner)} has it already`);
    else if ((kinds.get(address) ?? kind) !== kind) hold(`${address} is used for something else already`);
    else if (trouble !== undefined) hold(trouble);
    else {
      owners[key] = backend;
      kinds.set(address, kind);
      granted.push(claim);
    }
  }
  return { granted, held: held.sort((a, b) => compare(a.what + a.service, b.what + b.service)), owners };
}

function frontsOf(granted: readonly Claim[]): Front[] {
  const byAddress = Map.groupBy(granted, ({ address }) => address);
  return [...byAddress.entries()]
    .sort(([a], [b]) => compare(a, b))
    .flatMap(([, claims]): Front[] => {
      const [first] = claims;
      if (first === undefined) return [];
      const routes = claims.map(({ route, backend }) => ({ ...(route ?? { path: "/" }), backend }));
      const nameOf = ({ domain = "", path }: Route) => `${domain}${path}`;
      const { host, port } = first;
      return [
        {
          mode: first.door.mode,
          host,
          port,
          routes: routes.sort((a, b) => compare(nameOf(a), nameOf(b))),
        },
      ];
    });
}

function serversOf(service: Service, door: TrafficDoor, backend: string, input: TableInput): Server[] {
  const { replicas, draining, sinceMs, complete, previous, nowMs } = input;
  const own = replicas.filter((replica) => replica.service === service.id);
  const serving = own.flatMap((replica): Server[] => {
    if (replica.state !== "running" || draining.has(replica.id)) return [];
    const endpoint =
      door.port === undefined
        ? replica.endpoints[0]
        : replica.endpoints.find(({ targetPort }) => targetPort === door.port);
    if (endpoint === undefined) return [];
    const { host, port } = endpoint;
    const weight = rampedWeight(nowMs - (sinceMs.get(replica.id) ?? nowMs));
    return [{ name: serverName(replica.id), replica: replica.id, host, port, weight }];
  });
  // Nobody ramps up where nobody else could take the load meanwhile.
  const ramping = serving.some(({ weight }) => weight === 100) ? serving : serving.map(atFullWeight);
  const seen = new Set(own.map(({ id }) => id));
  const unseen = complete
    ? []
    : (previous?.backends.find(({ name }) => name === backend)?.servers ?? []).filter(
        ({ replica }) => !seen.has(replica) && !draining.has(replica),
      );
  const all = [...ramping, ...unseen].sort((a, b) => compare(a.name, b.name));
  return [...withShares(all, own, input.shares?.get(service.id))];
}

function atFullWeight(server: Server): Server {
  return { ...server, weight: 100 };
}

/** Everything but the servers: two tables with the same one differ in servers alone. */
export function structureOf({ fronts, backends }: TrafficTable): string {
  return JSON.stringify([fronts, backends.map((backend) => ({ ...backend, servers: [] }))]);
}

/** Long ids of hexadecimal digits are cut as every tool cuts them. */
export function serverName(replica: ReplicaId): string {
  return /^[0-9a-f]{64}$/.test(replica) ? replica.slice(0, 12) : replica.replace(/[^\w.-]/g, "-").slice(-48);
}

/** `127.0.0.1:80`, `[::1]:80`. */
export function addressText(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The service of a back-end's name. */
function serviceOf(backend: string): string {
  return backend.slice(0, backend.indexOf(":"));
}

/** By code units, the same everywhere. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
