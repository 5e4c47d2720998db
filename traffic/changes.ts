import type { Server, TrafficTable } from "./table.ts";

/** What a balancer that runs has. */
export interface Running {
  /** Of what it was started with; see `Wanted`. */
  readonly structure: string;
  readonly servers: readonly RunningServer[];
}

export interface RunningServer extends Omit<Server, "replica"> {
  readonly backend: string;
  /** It takes new requests; otherwise it only ends those that it has. */
  readonly open: boolean;
}

export interface Wanted {
  readonly table: TrafficTable;
  /** Names everything but the servers; two tables with the same one differ in servers alone. */
  readonly structure: string;
}

interface OfServer {
  readonly backend: string;
  readonly server: string;
}

/** One thing that a running balancer is told. */
export type Command =
  | (OfServer & {
      readonly kind: "add";
      readonly host: string;
      readonly port: number;
      readonly weight: number;
      readonly sticky: boolean;
    })
  | (OfServer & { readonly kind: "move"; readonly host: string; readonly port: number })
  | (OfServer & { readonly kind: "weigh"; readonly weight: number })
  | (OfServer & { readonly kind: "open" })
  | (OfServer & { readonly kind: "close" })
  /** Refused while it still has connections: it is tried again. */
  | (OfServer & { readonly kind: "forget" });

export type Changes =
  | { readonly kind: "none" }
  | { readonly kind: "commands"; readonly commands: readonly Command[] }
  /** Only servers come and go while it runs; everything else takes a new configuration. */
  | { readonly kind: "reload"; readonly reason: string };

/** What brings a running balancer to the table. Those that come do so before others go. */
export function changesTo({ table, structure }: Wanted, running: Running): Changes {
  if (running.structure !== structure) {
    return { kind: "reload", reason: "services, addresses or routes have changed" };
  }
  const has = new Map(running.servers.map((server) => [keyOf(server.backend, server.name), server]));
  const wanted = new Set(
    table.backends.flatMap((backend) => backend.servers.map(({ name }) => keyOf(backend.name, name))),
  );
  const coming = table.backends.flatMap(({ name: backend, sticky, servers }) =>
    servers.flatMap((server) => comingOf({ backend, sticky, server }, has.get(keyOf(backend, server.name)))),
  );
  const going = running.servers
    .filter(({ backend, name }) => !wanted.has(keyOf(backend, name)))
    .map(
      ({ backend, name: server, open }): Command => ({ kind: open ? "close" : "forget", backend, server }),
    );
  const commands = [...coming, ...going];
  return commands.length === 0 ? { kind: "none" } : { kind: "commands", commands };
}

function comingOf(
  { backend, sticky, server }: { backend: string; sticky: boolean; server: Server },
  has: RunningServer | undefined,
): readonly Command[] {
  const { name, host, port, weight } = server;
  const of = { backend, server: name };
  const open: Command = { kind: "open", ...of };
  if (has === undefined) return [{ kind: "add", ...of, host, port, weight, sticky }, open];
  return [
    ...(has.host === host && has.port === port ? [] : [{ kind: "move" as const, ...of, host, port }]),
    ...(has.weight === weight ? [] : [{ kind: "weigh" as const, ...of, weight }]),
    ...(has.open ? [] : [open]),
  ];
}

/** Neither name has a slash. */
function keyOf(backend: string, server: string): string {
  return `${backend}/${server}`;
}
