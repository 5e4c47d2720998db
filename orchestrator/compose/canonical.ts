import { splitCommand } from "../../core/shell-words.ts";
import { cleanPath, parseMount } from "./mounts.ts";
import { parsePort } from "./ports.ts";
import {
  asMapping,
  describe,
  isMapping,
  mapValues,
  type Report,
  scalarText,
  type YamlMapping,
  type YamlPath,
  type YamlValue,
} from "./values.ts";

export interface Reporter {
  readonly error: Report;
  readonly warning: Report;
}

type Rewrite = (value: YamlValue, path: YamlPath, report: Reporter) => YamlValue;

/** Every short form of a document that has the right shape, written in its long form. Defaults come later. */
export function canonicalDocument(document: YamlMapping, report: Reporter): YamlMapping {
  const result = { ...document };
  for (const [section, rewrite] of Object.entries(SECTIONS)) {
    const entries = document[section];
    if (!isMapping(entries)) continue;
    result[section] = mapValues(entries, (value, name) => rewrite(value, [section, name], report));
  }
  return result;
}

const SECTIONS: Readonly<Record<string, Rewrite>> = {
  services: (value, path, report) => rewriteKeys(value, SERVICE, path, report),
  networks: resource,
  volumes: resource,
  secrets: resource,
  configs: resource,
};

const BUILD: Readonly<Record<string, Rewrite>> = {
  args: pairsToMapping,
  labels: labels,
  additional_contexts: pairsToMapping,
  ssh: pairsToMapping,
  extra_hosts: extraHosts,
  secrets: eachItem(fileReference),
};

const SERVICE: Readonly<Record<string, Rewrite>> = {
  annotations: pairsToMapping,
  build: (value, path, report) =>
    typeof value === "string" ? { context: value } : rewriteKeys(value, BUILD, path, report),
  command,
  configs: eachItem(fileReference),
  depends_on: dependsOn,
  deploy: (value, path, report) => rewriteKeys(value, { labels }, path, report),
  devices: eachItem(device),
  dns: (value) => asListOf(value).filter((address) => address !== "" && address !== null),
  dns_search: oneToList,
  entrypoint: command,
  env_file: (value) => asListOf(value).map((item) => (typeof item === "string" ? { path: item } : item)),
  environment: pairsToMapping,
  expose: eachItem(scalarText),
  extends: (value) => (typeof value === "string" ? { service: value } : value),
  extra_hosts: extraHosts,
  healthcheck: (value, path, report) => rewriteKeys(value, { test }, path, report),
  label_file: oneToList,
  labels,
  networks: (value) =>
    Array.isArray(value) ? Object.fromEntries(value.map((name) => [scalarText(name), null])) : value,
  ports,
  post_start: eachItem(hook),
  pre_stop: eachItem(hook),
  secrets: eachItem(fileReference),
  sysctls: pairsToMapping,
  tmpfs: oneToList,
  volumes: eachItem(mount),
};

function hook(value: YamlValue, path: YamlPath, report: Reporter): YamlValue {
  return rewriteKeys(value, { command, environment: pairsToMapping }, path, report);
}

function rewriteKeys(
  value: YamlValue,
  rewrites: Readonly<Record<string, Rewrite>>,
  path: YamlPath,
  report: Reporter,
): YamlValue {
  if (!isMapping(value)) return value;
  return mapValues(value, (item, name) => rewrites[name]?.(item, [...path, name], report) ?? item);
}

function eachItem(rewrite: Rewrite): Rewrite {
  return (value, path, report) =>
    Array.isArray(value) ? value.map((item, index) => rewrite(item, [...path, index], report)) : value;
}

function asListOf(value: YamlValue): YamlValue[] {
  return Array.isArray(value) ? value : [value];
}

function oneToList(value: YamlValue): YamlValue {
  return asListOf(value);
}

function pairsToMapping(value: YamlValue): YamlValue {
  if (!Array.isArray(value)) return value;
  return Object.fromEntries(
    value.map((item) => {
      const pair = scalarText(item);
      const equals = pair.indexOf("=");
      return equals === -1 ? [pair, null] : [pair.slice(0, equals), pair.slice(equals + 1)];
    }),
  );
}

function labels(value: YamlValue): YamlValue {
  return mapValues(asMapping(pairsToMapping(value)), scalarText);
}

function command(value: YamlValue, path: YamlPath, report: Reporter): YamlValue {
  if (typeof value !== "string") return value;
  const split = splitCommand(value);
  if (split === undefined) {
    report.error(
      path,
      `expected a command whose quotes are closed and whose brackets are quoted, got ${JSON.stringify(value)}`,
    );
    return null;
  }
  if (split.dropped !== "") {
    report.warning(
      path,
      `no shell runs this command, so ${JSON.stringify(split.dropped)} is left out, as docker compose does; write ["sh", "-c", "…"]`,
    );
  }
  return [...split.words];
}

function test(value: YamlValue): YamlValue {
  return typeof value === "string" ? ["CMD-SHELL", value] : value;
}

function dependsOn(value: YamlValue): YamlValue {
  if (!Array.isArray(value)) return value;
  return Object.fromEntries(
    value.map((name) => [scalarText(name), { condition: "service_started", required: true }]),
  );
}

function ports(value: YamlValue, path: YamlPath, report: Reporter): YamlValue {
  if (!Array.isArray(value)) return value;
  return value.flatMap((item, index): YamlValue[] => {
    if (isMapping(item)) {
      if (isTargetPort(item["target"])) return [item];
      report.error(
        [...path, index],
        `expected a target from 1 to 65535, got ${describe(item["target"] ?? null)}`,
      );
      return [];
    }
    const parsed = parsePort(scalarText(item));
    if (typeof parsed !== "string") return parsed;
    report.error([...path, index], parsed);
    return [];
  });
}

function isTargetPort(value: YamlValue | undefined): boolean {
  const port = Number(value);
  return port >= 1 && port <= 65_535;
}

function mount(value: YamlValue, path: YamlPath, report: Reporter): YamlValue {
  if (isMapping(value)) {
    const target = value["target"];
    if (typeof target === "string") return { ...value, target: cleanPath(target) };
    report.error(path, `expected the key "target", which is missing`);
    return value;
  }
  const parsed = parseMount(scalarText(value));
  if (typeof parsed !== "string") return parsed;
  report.error(path, parsed);
  return null;
}

function device(value: YamlValue, path: YamlPath, report: Reporter): YamlValue {
  if (isMapping(value)) return value;
  const [source = "", target = source, permissions = "rwm", ...rest] = scalarText(value).split(":");
  if (rest.length > 0) report.error(path, `expected source:target:permissions, got "${scalarText(value)}"`);
  return { source, target: target === "" ? source : target, permissions };
}

function fileReference(value: YamlValue): YamlValue {
  return isMapping(value) ? value : { source: scalarText(value) };
}

function extraHosts(value: YamlValue, path: YamlPath, report: Reporter): YamlValue {
  const hosts = isMapping(value)
    ? Object.entries(value).map(([host, ips]) => ({ host, ips: asListOf(ips).map(scalarText) }))
    : asListOf(value).map((item) => splitHost(scalarText(item)));
  return hosts.flatMap(({ host, ips }) => {
    if (host === "" || /[:=]/u.test(host)) {
      report.error(
        path,
        `expected HOST=ADDRESS, got ${JSON.stringify([host, ...ips].filter((part) => part !== "").join("="))}`,
      );
    }
    return ips.map((ip) => `${host}=${/^\[.+\]$/u.test(ip) ? ip.slice(1, -1) : ip}`);
  });
}

function splitHost(entry: string): { host: string; ips: string[] } {
  const match = /^([^=]*)=(.*)$/u.exec(entry) ?? /^([^:]*):(.*)$/u.exec(entry);
  return match === null
    ? { host: "", ips: [entry] }
    : { host: match[1] ?? "", ips: (match[2] ?? "").split(",") };
}

/** A network, volume, secret or config; `external: {name: …}` is the old way to write its name. */
function resource(value: YamlValue, path: YamlPath, report: Reporter): YamlValue {
  if (!isMapping(value)) return value;
  const result: YamlMapping =
    "labels" in value ? { ...value, labels: labels(value["labels"] ?? null) } : { ...value };
  const external = value["external"];
  if (!isMapping(external)) return result;
  result["external"] = true;
  const name = external["name"];
  if (name === undefined) return result;
  report.warning(
    [...path, "external", "name"],
    "this is an old form; write external: true and name beside it",
  );
  const own = value["name"];
  if (own !== undefined && own !== name) {
    report.error(
      [...path, "external", "name"],
      `expected one name, got "${scalarText(own)}" and "${scalarText(name)}"`,
    );
  }
  result["name"] = name;
  return result;
}
