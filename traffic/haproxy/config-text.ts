import { createHash } from "node:crypto";
import { BUCKETS_US } from "../latency.ts";
import { cookieName, STICKS_HOURS, STICKS_IDLE_MINUTES } from "../stickiness.ts";
import { addressText, type Backend, type Front, type TrafficTable } from "../table.ts";

/** In the directory that HAProxy works in; a path of its own would be too long for a socket in a deep one. */
export const CONFIG_FILE = "haproxy.cfg";
export const RUNTIME_SOCKET = "runtime";
export const MASTER_SOCKET = "master";
export const LATENCY_TABLE = "flyball_latency";
/** Before the name of a back-end: the one that holds who asks for it while it has nobody. */
export const ASLEEP = "asleep:";

export interface HaproxyConfig {
  readonly text: string;
  /** Of everything but the servers. */
  readonly structure: string;
  /** By name in the directory: where hosts and paths lead. */
  readonly maps: Readonly<Record<string, string>>;
}

/** @param isRoot it gives up its rights after it has started */
export function haproxyConfig(table: TrafficTable, { isRoot }: { isRoot: boolean }): HaproxyConfig {
  const sleepers = table.backends.filter(({ waker }) => waker !== undefined).map(({ name }) => name);
  const fronts = table.fronts.map((front) => frontText(front, sleepers));
  const wakers = table.backends.flatMap((backend) => wakerText(backend));
  const withoutServers = [
    ...fronts.map(({ text }) => text),
    ...table.backends.map((one) => backendText(one, [])),
    ...wakers,
  ];
  const maps = Object.assign({}, ...fronts.map(({ maps: own }) => own)) as Record<string, string>;
  const skeleton = [preamble("", isRoot), ...withoutServers, ...Object.values(maps)].join("\n");
  const structure = createHash("sha256").update(skeleton).digest("hex").slice(0, 16);
  const text = [
    preamble(structure, isRoot),
    ...fronts.map((front) => front.text),
    ...table.backends.map((backend) => backendText(backend, serverLines(backend))),
    ...wakers,
  ].join("\n");
  return { text, structure, maps };
}

/**
 * Old workers stay until their last connection ends, half a day at most. Idle connections of clients are not closed under
 * a request that is on its way: the next answer on them says that they end. A request that may be sent twice goes to
 * another replica when the first one ends before it has answered.
 */
function preamble(structure: string, isRoot: boolean): string {
  return `# Written by Flyball at each change; edits are lost.
global
  description flyball ${structure}
  stats socket unix@${RUNTIME_SOCKET}.sock mode 600 level admin expose-fd listeners
  stats timeout 1h
  fd-hard-limit 50000
  hard-stop-after 12h
${isRoot ? "  uid 65534\n  gid 65534\n" : ""}
defaults
  mode http
  balance leastconn
  timeout connect 2s
  timeout client 1m
  timeout client-fin 30s
  timeout server-fin 30s
  timeout queue 30s
  timeout tunnel 12h
  timeout http-request 10s
  timeout http-keep-alive 1m
  option idle-close-on-response
  option redispatch 1
  option splice-auto
  retries 3
  retry-on conn-failure empty-response

backend ${LATENCY_TABLE}
  stick-table type string len 64 size 64k expire 10m store gpc(${BUCKETS_US.length + 1})
`;
}

function frontText(
  front: Front,
  sleepers: readonly string[],
): { text: string; maps: Record<string, string> } {
  const { mode, host, port, routes } = front;
  const address = addressText(host, port);
  const head = `frontend ${address.replace(/[[\]]/g, "")}\n  mode ${mode}\n  bind ${address}\n`;
  const [only] = routes;
  const asleep = sleepers.filter((name) => routes.some(({ backend }) => backend === name));
  if (mode === "tcp") {
    const rules = asleep
      .map((name) => `  use_backend ${ASLEEP}${name} if { nbsrv(${name}) lt 1 }\n`)
      .join("");
    return { text: `${head}${rules}  default_backend ${only?.backend}\n`, maps: {} };
  }
  const map = routes.map(
    ({ domain = "*", path, backend }) => `${domain}${path.replace(/\/?$/, "/")} ${backend}\n`,
  );
  const content = map.join("");
  const name = `routes-${createHash("sha256").update(content).digest("hex").slice(0, 12)}.map`;
  const text = `${head}  option forwardfor
  http-request set-var(txn.path) path,concat(/)
  http-request set-var(txn.backend) req.hdr(host),host_only,concat(,txn.path),map_beg(${name})
  http-request set-var(txn.backend) str(*),concat(,txn.path),map_beg(${name}) unless { var(txn.backend) -m found }
  http-request return status 404 content-type text/plain string "No service answers for this host and path.\\n" unless { var(txn.backend) -m found }
  http-request disable-l7-retry unless { method GET HEAD OPTIONS }
  http-request set-var(txn.began) date(0,us)
${asleep.map((name) => `  use_backend ${ASLEEP}${name} if { var(txn.backend) -m str ${name} } { nbsrv(${name}) lt 1 }\n`).join("")}  use_backend %[var(txn.backend)]
${LATENCY_RULES.join("\n")}
`;
  return { text, maps: { [name]: content } };
}

function backendText(backend: Backend, servers: readonly string[]): string {
  const { name, mode, sticky, timeoutMs, byShare } = backend;
  return [
    `backend ${name}`,
    `  mode ${mode}`,
    `  timeout server ${timeoutMs}ms`,
    // By least connections a server of a small weight gets nothing as long as few are open.
    ...(byShare ? ["  balance roundrobin"] : []),
    ...(sticky
      ? [
          `  cookie ${cookieName(name)} insert indirect nocache httponly maxidle ${STICKS_IDLE_MINUTES}m maxlife ${STICKS_HOURS}h dynamic`,
          `  dynamic-cookie-key ${name}`,
        ]
      : []),
    ...servers,
    "",
  ].join("\n");
}

/** A back-end of its own, so that nobody sticks to it and nothing that it does is counted as a replica's. */
function wakerText({ name, mode, timeoutMs, waker }: Backend): string[] {
  if (waker === undefined) return [];
  return [
    [
      `backend ${ASLEEP}${name}`,
      `  mode ${mode}`,
      `  timeout server ${timeoutMs}ms`,
      `  server waker ${addressText(waker.host, waker.port)}`,
      "",
    ].join("\n"),
  ];
}

/** For what a replica has answered; what HAProxy itself answers is not counted. */
const LATENCY_RULES = [
  "  http-response set-var(txn.took) date(0,us),sub(txn.began)",
  `  http-response track-sc0 srv_name table ${LATENCY_TABLE}`,
  ...[...BUCKETS_US, undefined].map((below, index) => {
    const range = `${BUCKETS_US[index - 1] ?? ""}:${below === undefined ? "" : below - 1}`;
    return `  http-response sc-inc-gpc(${index},0) if { var(txn.took) -m int ${range} }`;
  }),
];

function serverLines({ servers }: Backend): string[] {
  return servers.map(
    ({ name, host, port, weight }) => `  server ${name} ${addressText(host, port)} weight ${weight}`,
  );
}
