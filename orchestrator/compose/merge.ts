import { cleanPath } from "./mounts.ts";
import {
  asMapping,
  describe,
  formatPath,
  has,
  isMapping,
  mapValues,
  type Report,
  scalarText,
  type YamlMapping,
  type YamlPath,
  type YamlValue,
} from "./values.ts";

/**
 * Merging of documents in canonical form by the rules of the Compose Specification: mappings merge, lists append,
 * everything else is replaced; the tables below name the places where it is otherwise.
 */
export function mergeDocuments(base: YamlMapping, override: YamlMapping, report: Report): YamlMapping {
  return distinct(mergeMappings(base, override, [], report), []);
}

/** A service on top of the one it extends. */
export function mergeService(
  base: YamlMapping,
  override: YamlMapping,
  path: YamlPath,
  report: Report,
): YamlMapping {
  return distinct(mergeMappings(base, override, path, report), path);
}

/** Removes repeated entries of the lists that have a key; the last one stands, in the place of the first. */
export function distinctDocument(document: YamlMapping): YamlMapping {
  return distinct(document, []);
}

/** The document without what stands at the given places. */
export function without(document: YamlMapping, resets: readonly YamlPath[]): YamlMapping {
  return resets.reduce<YamlMapping>((rest, path) => removed(rest, path), document);
}

function removed(mapping: YamlMapping, [head, ...tail]: YamlPath): YamlMapping {
  if (typeof head !== "string" || !has(mapping, head)) return mapping;
  const { [head]: value, ...rest } = mapping;
  if (tail.length === 0) return rest;
  return isMapping(value) ? { ...mapping, [head]: removed(value, tail) } : mapping;
}

type Merge = (base: YamlValue, override: YamlValue, path: YamlPath, report: Report) => YamlValue;

const replace: Merge = (_base, override) => override;

/** Entries of the later one win, also where they are empty. */
const overlay: Merge = (base, override) => ({ ...asMapping(base), ...asMapping(override) });

const RULES = patterns<Merge>({
  "networks.*.ipam.config": mergeIpamConfig,
  "networks.*.labels": overlay,
  "volumes.*.labels": overlay,
  "services.*.annotations": overlay,
  "services.*.build.args": overlay,
  "services.*.build.additional_contexts": overlay,
  "services.*.build.labels": overlay,
  "services.*.command": replace,
  "services.*.deploy.labels": overlay,
  "services.*.entrypoint": replace,
  "services.*.environment": overlay,
  "services.*.healthcheck.test": replace,
  "services.*.labels": overlay,
  "services.*.logging": mergeLogging,
  "services.*.sysctls": overlay,
  "services.*.ulimits.*": replace,
});

type Identify = (item: YamlValue) => string;

const beforeEquals: Identify = (item) => scalarText(item).split("=", 1)[0] ?? "";
const target: Identify = (item) => scalarText(asMapping(item)["target"] ?? null);

const IDENTITIES = patterns<Identify>({
  "services.*.build.tags": beforeEquals,
  "services.*.cap_add": beforeEquals,
  "services.*.cap_drop": beforeEquals,
  "services.*.configs": mountedAt(""),
  "services.*.devices": target,
  "services.*.dns": beforeEquals,
  "services.*.dns_opt": beforeEquals,
  "services.*.dns_search": beforeEquals,
  "services.*.env_file": (item) => scalarText(asMapping(item)["path"] ?? null),
  "services.*.expose": scalarText,
  "services.*.extra_hosts": scalarText,
  "services.*.links": beforeEquals,
  "services.*.networks.*.aliases": beforeEquals,
  "services.*.networks.*.link_local_ips": beforeEquals,
  "services.*.ports": portIdentity,
  "services.*.profiles": beforeEquals,
  "services.*.secrets": mountedAt("/run/secrets"),
  "services.*.tmpfs": beforeEquals,
  "services.*.volumes": (item) => cleanPath(target(item)),
});

function mergeValues(base: YamlValue, override: YamlValue, path: YamlPath, report: Report): YamlValue {
  const rule = RULES(path);
  if (override === null && rule !== replace) return base;
  if (rule !== undefined) return rule(base, override, path, report);
  if (isMapping(base)) {
    if (isMapping(override)) return mergeMappings(base, override, path, report);
    report(path, `expected a mapping, as in the file before, got ${describe(override)}`);
    return base;
  }
  if (Array.isArray(base)) {
    if (Array.isArray(override)) return [...base, ...override];
    report(path, `expected a list, as in the file before, got ${describe(override)}`);
    return base;
  }
  return override;
}

function mergeMappings(
  base: YamlMapping,
  override: YamlMapping,
  path: YamlPath,
  report: Report,
): YamlMapping {
  const result = { ...base };
  for (const [name, value] of Object.entries(override)) {
    const before = has(base, name) ? base[name] : undefined;
    result[name] =
      before === undefined || name.startsWith("x-")
        ? value
        : mergeValues(before, value, [...path, name], report);
  }
  return result;
}

/** Options of a log driver are merged only with those of the same driver. */
function mergeLogging(base: YamlValue, override: YamlValue, path: YamlPath, report: Report): YamlValue {
  const before = asMapping(base);
  const after = asMapping(override);
  const same = !("driver" in before && "driver" in after) || before["driver"] === after["driver"];
  return same ? mergeMappings(before, after, path, report) : after;
}

/** Address pools are merged by subnet. */
function mergeIpamConfig(base: YamlValue, override: YamlValue): YamlValue {
  if (!Array.isArray(base) || !Array.isArray(override)) return override;
  const pools = new Map<string, YamlMapping>();
  for (const pool of [...base, ...override].map(asMapping)) {
    const subnet = scalarText(pool["subnet"] ?? null);
    pools.set(subnet, { ...pools.get(subnet), ...pool });
  }
  const overridden = new Set(override.map((pool) => scalarText(asMapping(pool)["subnet"] ?? null)));
  return [...pools].filter(([subnet]) => overridden.has(subnet)).map(([, pool]) => pool);
}

function distinct(mapping: YamlMapping, path: YamlPath): YamlMapping {
  return mapValues(mapping, (value, name) => {
    const here = [...path, name];
    if (isMapping(value)) return distinct(value, here);
    const identify = Array.isArray(value) ? IDENTITIES(here) : undefined;
    if (!Array.isArray(value) || identify === undefined) return value;
    const items = new Map<string, YamlValue>();
    for (const item of value) items.set(identify(item), item);
    return [...items.values()];
  });
}

function mountedAt(directory: string): Identify {
  return (item) => {
    const { source = null, target: where = `${directory}/${scalarText(source)}` } = asMapping(item);
    return scalarText(where);
  };
}

function portIdentity(item: YamlValue): string {
  const port = asMapping(item);
  const part = (name: string, fallback: string) => scalarText(port[name] ?? fallback);
  return `${part("host_ip", "0.0.0.0")}:${part("published", "")}:${part("target", "")}/${part("protocol", "tcp")}`;
}

/** Finds the entry of a table whose pattern fits a path; `*` stands for any one key. */
function patterns<T>(table: Readonly<Record<string, T>>): (path: YamlPath) => T | undefined {
  const exact = new Map(Object.entries(table));
  return (path) => {
    if (path.length < 3) return undefined;
    const general = path.map((part, index) => (index === 1 ? "*" : part));
    const text = formatPath(general);
    if (exact.has(text)) return exact.get(text);
    const last = formatPath(general.map((part, index) => (index === path.length - 1 ? "*" : part)));
    const fourth = formatPath(general.map((part, index) => (index === 3 ? "*" : part)));
    return exact.get(last) ?? exact.get(fourth);
  };
}
