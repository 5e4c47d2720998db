import { isAbsolute, join } from "node:path";
import { asMapping, isMapping, mapValues, type YamlMapping, type YamlValue } from "./values.ts";

/** Where the relative paths of a document start. */
export interface Base {
  readonly directory: string;
  /** What `~` stands for. */
  readonly home: string;
}

/** The path made absolute; remote build contexts and Windows paths stay as they are. */
export function absolutePath(path: string, { directory, home }: Base): string {
  if (path === "") return path;
  if (path.startsWith("~")) return joined(home, path.slice(1));
  if (isAbsolute(path) || /^(?:[a-z]:[\\/]|\\\\)/iu.test(path)) return path;
  return joined(directory, path);
}

function joined(directory: string, path: string): string {
  const result = join(directory, path);
  return result.length > 1 && result.endsWith("/") ? result.slice(0, -1) : result;
}

/** Every path of a canonical document made absolute. */
export function resolvePaths(document: YamlMapping, base: Base): YamlMapping {
  const absolute = (value: YamlValue) => (typeof value === "string" ? absolutePath(value, base) : value);
  const context = (value: YamlValue) =>
    typeof value === "string" && isRemote(value) ? value : absolute(value);
  const resolveService = (value: YamlValue): YamlValue =>
    at(value, {
      build: (build) =>
        at(build, { context, additional_contexts: (contexts) => mapValues(asMapping(contexts), context) }),
      env_file: each((file) => at(file, { path: absolute })),
      extends: (extended) => at(extended, { file: absolute }),
      label_file: each(absolute),
      volumes: each((mount) =>
        asMapping(mount)["type"] === "bind" ? at(mount, { source: absolute }) : mount,
      ),
    });
  const resolveVolume = (value: YamlValue): YamlValue => {
    const volume = asMapping(value);
    const isBind = volume["driver"] === "local" && asMapping(volume["driver_opts"])["o"] === "bind";
    return isBind ? at(value, { driver_opts: (opts) => at(opts, { device: absolute }) }) : value;
  };
  const all = (change: (value: YamlValue) => YamlValue) => (section: YamlValue) =>
    mapValues(asMapping(section), change);
  return asMapping(
    at(document, {
      services: all(resolveService),
      volumes: all(resolveVolume),
      configs: all((config) => at(config, { file: absolute })),
      secrets: all((secret) => at(secret, { file: absolute })),
    }),
  );
}

function at(value: YamlValue, changes: Readonly<Record<string, (value: YamlValue) => YamlValue>>): YamlValue {
  if (!isMapping(value)) return value;
  return mapValues(value, (item, name) => (item === null ? null : (changes[name]?.(item) ?? item)));
}

function each(change: (value: YamlValue) => YamlValue): (value: YamlValue) => YamlValue {
  return (value) => (Array.isArray(value) ? value.map(change) : value);
}

function isRemote(context: string): boolean {
  return context.includes("://") || /^(?:service:|github\.com\/|git@)/u.test(context);
}
