import { type LabelReader, label } from "./label-reader.ts";
import { type Reading, readBoolean, readDuration, readPort, readWord } from "./label-values.ts";
import type { TrafficDoor, TrafficPolicy } from "./types.ts";
import { DAY_MS, MINUTE_MS, SECOND_MS } from "./units.ts";

const DEFAULT_TIMEOUT_MS = MINUTE_MS;
const HOST = /^(?=.{1,253}$)[a-z0-9]+(?:-+[a-z0-9]+)*(?:\.[a-z0-9]+(?:-+[a-z0-9]+)*)*$/;
const PATH = /^(?:\/[\w\-.~%]+)*\/?$/;
const MOST_CHARACTERS_OF_A_PATH = 256;

/** `aliyun.lb.port_80`: the number is the replica's own port. */
const VENDOR_PORT = /^aliyun\.(lb|routing)\.port_(\d{1,5})$/;
const VENDOR_LISTENER = "aliyun.lb.port_<port>";
const VENDOR_ROUTES = "aliyun.routing.port_<port>";

/** How a service is reached through the balancer. */
export const TRAFFIC_LABELS = {
  lbPort: label("lb.port", readPort, {
    meaning: "the replica's own port that the balancer sends requests or connections to",
    defaultText: "the first one of the service",
    example: "8080",
  }),
  lbDomain: label("lb.domain", readDomains, {
    meaning:
      "host names whose requests go to the service, separated by commas; without them every name that nobody else claims",
    defaultText: "none",
    example: "shop.example.com,www.shop.example.com",
  }),
  lbPath: label("lb.path", readPath, {
    meaning: "only requests for this path and what is below it; the longest path wins",
    defaultText: "/",
    example: "/api",
  }),
  lbSticky: label("lb.sticky", readBoolean, {
    meaning:
      "a client stays with the replica that first answered it, by a cookie: 8 hours at most, 30 minutes without a request; on by itself where `aliyun.routing.port_…` is used",
    defaultText: "false",
    example: "true",
    aliases: ["aliyun.routing.session_sticky"],
  }),
  lbMode: label("lb.mode", readWord("http", "tcp"), {
    meaning: "`tcp`: connections are passed on as they are, without a look at what is in them",
    defaultText: "http",
    example: "tcp",
  }),
  lbListen: label("lb.listen", readListen, {
    meaning:
      "where the balancer listens for this service alone, `port` or `host:port`; with `tcp` the port is that of `lb.port` unless it is said",
    defaultText: "none",
    example: "5432",
  }),
  lbTimeout: label("lb.timeout", readDuration(SECOND_MS, DAY_MS), {
    meaning: "how long a replica may say nothing before the request is answered 504",
    defaultText: "1m",
    example: "5m",
  }),
  vendorListener: label(VENDOR_LISTENER, readVendorListeners, {
    meaning:
      "as that platform writes it: where the balancer listens for the replica's `<port>`, as `tcp://name:front-port` or `http://name:front-port`, several separated by `;`; the name is not looked at",
    defaultText: "none",
    example: "tcp://my-balancer:3306",
  }),
  vendorRoutes: label(VENDOR_ROUTES, readVendorRoutes, {
    meaning:
      "as that platform writes it: host names, perhaps with a path, whose requests go to the replica's `<port>`, several separated by `;`; a word without a dot means itself and `word.localhost`",
    defaultText: "none",
    example: "http://shop.example.com/cart;shop",
  }),
} as const;

/** Keys that carry a port in their name. */
export function isTrafficPortLabel(key: string): boolean {
  return VENDOR_PORT.test(key);
}

/** Absent: the labels say nothing of it, or something that cannot be used. */
export function readTraffic(
  labels: Readonly<Record<string, string>>,
  reader: LabelReader,
): TrafficPolicy | undefined {
  const { lbSticky, lbTimeout } = TRAFFIC_LABELS;
  const [own, vendor] = [readOwnDoor(reader), readVendorDoors(labels, reader)];
  const [sticky, timeoutMs] = [reader.get(lbSticky), reader.get(lbTimeout)];
  if (own === "unusable" || vendor === "unusable") return undefined;
  const doors = [...vendor, ...(own === undefined ? [] : [own])];
  const settings = [lbSticky, lbTimeout].filter((spec) => reader.says(spec));
  if (doors.length === 0) {
    for (const spec of settings) {
      reader.error(reader.written(spec), `needs ${TRAFFIC_LABELS.lbPort.key} or another way in beside it`);
    }
    return undefined;
  }
  if (sticky === true && doors.every(({ mode }) => mode === "tcp")) {
    reader.error(reader.written(lbSticky), "needs an http door: a cookie is a part of HTTP");
    return undefined;
  }
  if (settings.length > [sticky, timeoutMs].filter((value) => value !== undefined).length) return undefined;
  // The platform that these labels come from keeps clients together unless it is told not to.
  const byDefault = vendor.some(({ mode }) => mode === "http");
  return { doors, sticky: sticky ?? byDefault, timeoutMs: timeoutMs ?? DEFAULT_TIMEOUT_MS };
}

/** The door that the `lb.…` labels speak of; absent when there are none. */
function readOwnDoor(reader: LabelReader): TrafficDoor | "unusable" | undefined {
  const { lbPort, lbDomain, lbPath, lbMode, lbListen } = TRAFFIC_LABELS;
  const said = [lbPort, lbDomain, lbPath, lbMode, lbListen].filter((spec) => reader.says(spec));
  if (said.length === 0) return undefined;
  const [port, domains, path] = [reader.get(lbPort), reader.get(lbDomain), reader.get(lbPath)];
  const [mode, listen] = [reader.get(lbMode), reader.get(lbListen)];
  const read = [port, domains, path, mode, listen].filter((value) => value !== undefined);
  if (read.length < said.length) return "unusable";
  const target = port === undefined ? {} : { port };
  if (mode !== "tcp") {
    const front = listen === undefined ? {} : { listen };
    return { mode: "http", domains: domains ?? [], path: path ?? "/", ...target, ...front };
  }
  const useless = [lbDomain, lbPath].filter((spec) => reader.says(spec));
  for (const spec of useless) {
    reader.error(spec.key, `is of no use with ${lbMode.key}: tcp, which does not look at what it passes on`);
  }
  const front = listen ?? (port === undefined ? undefined : { port });
  if (front === undefined) {
    reader.error(lbMode.key, `tcp needs ${lbPort.key} or ${lbListen.key} beside it, to know where to listen`);
  }
  if (front === undefined || useless.length > 0) return "unusable";
  return { mode, domains: [], path: "/", listen: front, ...target };
}

function readVendorDoors(
  labels: Readonly<Record<string, string>>,
  reader: LabelReader,
): readonly TrafficDoor[] | "unusable" {
  let usable = true;
  const doors = Object.entries(labels).flatMap(([key, text]): readonly TrafficDoor[] => {
    const [, kind, digits = ""] = VENDOR_PORT.exec(key) ?? [];
    if (kind === undefined) return [];
    const port = readPort(digits);
    const reading = kind === "lb" ? readVendorListeners(text) : readVendorRoutes(text);
    const refusal = "refusal" in port ? "expected the replica's port in the name" : refusalOf(reading);
    if (refusal !== undefined || "refusal" in port || "refusal" in reading) {
      usable = false;
      reader.error(key, `${refusal}, got ${JSON.stringify(text)}`);
      return [];
    }
    if (kind === "routing" && /(?:^|;)\s*(?:https|wss):/i.test(text)) {
      reader.warning(key, "is served without TLS: Flyball ends none, put what ends it in front");
    }
    return reading.value.map((door) => ({ ...door, port: port.value }));
  });
  return usable ? doors : "unusable";
}

function refusalOf(reading: Reading<unknown>): string | undefined {
  return "refusal" in reading ? reading.refusal : undefined;
}

/** `tcp://name:3306;http://name:80`. */
function readVendorListeners(text: string): Reading<readonly TrafficDoor[]> {
  const doors = partsOf(text).map((part): TrafficDoor | string => {
    const match = /^(?:([a-z]+):\/\/)?[\w\-/.]{1,80}:(\d{1,5})$/i.exec(part);
    const front = readPort(match?.[2] ?? "");
    if (match === null || "refusal" in front)
      return 'expected "tcp://name:front-port", as "tcp://my-balancer:3306"';
    const scheme = (match[1] ?? "tcp").toLowerCase();
    if (scheme === "udp") return "expected tcp or http: UDP is not balanced";
    if (scheme === "https") return "expected tcp or http: Flyball ends no TLS; tcp passes it on as it is";
    if (scheme !== "tcp" && scheme !== "http") return `expected tcp or http, not ${scheme}`;
    return { mode: scheme, domains: [], path: "/", listen: { port: front.value } };
  });
  return allOrRefusal(doors, 'expected "tcp://name:front-port"');
}

/** `http://shop.example.com/cart;shop`. Host names with one path become one door. */
function readVendorRoutes(text: string): Reading<readonly TrafficDoor[]> {
  const doors = partsOf(text).map((part): TrafficDoor | string => {
    const match = /^(?:([a-z]+):\/\/)?([^/:]+)(?::\d{1,5})?(\/.*)?$/i.exec(part);
    if (match === null) return 'expected "host/path", as "http://shop.example.com/cart"';
    const [, scheme = "http", host = "", path = "/"] = match;
    if (!["http", "https", "ws", "wss"].includes(scheme.toLowerCase())) {
      return `expected http, https, ws or wss, not ${scheme}; for tcp there is ${VENDOR_LISTENER}`;
    }
    const domains = readDomains(host);
    const below = readPath(path);
    if ("refusal" in domains) return domains.refusal;
    if ("refusal" in below) return below.refusal;
    const names = host.includes(".")
      ? domains.value
      : domains.value.flatMap((name) => [name, `${name}.localhost`]);
    return { mode: "http", domains: names, path: below.value };
  });
  return allOrRefusal(doors, 'expected "host/path"');
}

function allOrRefusal(
  doors: readonly (TrafficDoor | string)[],
  expected: string,
): Reading<readonly TrafficDoor[]> {
  const refusal = doors.find((door) => typeof door === "string");
  if (refusal !== undefined) return { refusal };
  const value = doors.filter((door) => typeof door !== "string");
  return value.length === 0 ? { refusal: expected } : { value };
}

function partsOf(text: string): string[] {
  return text
    .split(";")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function readDomains(text: string): Reading<readonly string[]> {
  const names = text
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "");
  const isHost = (name: string) => HOST.test(name);
  if (names.length > 0 && names.every(isHost)) return { value: [...new Set(names)] };
  return { refusal: 'expected host names, as "shop.example.com,www.shop.example.com"' };
}

function readPath(text: string): Reading<string> {
  const path = text.trim();
  if (!path.startsWith("/") || !PATH.test(path) || path.length > MOST_CHARACTERS_OF_A_PATH) {
    return { refusal: 'expected a path, as "/api"' };
  }
  return { value: path === "/" ? path : path.replace(/\/$/, "") };
}

/** `5432`, `127.0.0.1:5432`, `[::1]:5432`. */
function readListen(text: string): Reading<{ readonly host?: string; readonly port: number }> {
  const match = /^\s*(?:(\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\])?:)?(\d{1,5})\s*$/i.exec(text);
  const port = readPort(match?.[2] ?? "");
  if (match === null || "refusal" in port) {
    return { refusal: 'expected a port, or an address and a port, as "5432" or "0.0.0.0:5432"' };
  }
  const host = match[1]?.replace(/^\[(.*)\]$/, "$1");
  return { value: { port: port.value, ...(host === undefined ? {} : { host }) } };
}
