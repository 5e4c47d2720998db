import { mergeService, without } from "./merge.ts";
import {
  asMapping,
  has,
  isMapping,
  type Report,
  scalarText,
  type YamlMapping,
  type YamlPath,
} from "./values.ts";

/** The services of one file, with where to find the files they name. */
export interface ServicesFile {
  /** Absolute; tells files apart and is named in messages. */
  readonly file: string;
  readonly services: YamlMapping;
  readonly resets: readonly YamlPath[];
}

export interface ExtendsContext {
  /** Reads another file for its services, paths already absolute; undefined when that was reported as a problem. */
  readonly open: (file: string, from: ServicesFile, path: YamlPath) => Promise<ServicesFile | undefined>;
  readonly report: Report;
  /** A path as a person would name it. */
  readonly shown: (path: string) => string;
}

/** The services of a file, each on top of what it extends, over as many steps as it takes. */
export async function applyExtends(source: ServicesFile, context: ExtendsContext): Promise<YamlMapping> {
  const services: YamlMapping = {};
  for (const [name, service] of Object.entries(source.services)) {
    services[name] = isMapping(service)
      ? await resolve(name, source, context, [], ["services", name])
      : service;
  }
  return services;
}

async function resolve(
  name: string,
  source: ServicesFile,
  context: ExtendsContext,
  chain: readonly string[],
  path: YamlPath,
): Promise<YamlMapping> {
  const service = asMapping(source.services[name]);
  if (!isMapping(service["extends"])) return service;
  const { extends: link, ...own } = service;
  const step = `${name} in ${context.shown(source.file)}`;
  if (chain.includes(step)) {
    context.report(
      [...path, "extends"],
      `expected services that extend in a line, got a circle: ${[...chain, step].join(" -> ")}`,
    );
    return own;
  }
  const wanted = scalarText(asMapping(link)["service"] ?? null);
  const file = asMapping(link)["file"];
  const from =
    typeof file === "string" ? await context.open(file, source, [...path, "extends", "file"]) : source;
  if (from === undefined) return own;
  if (!has(from.services, wanted)) {
    context.report(
      [...path, "extends"],
      `expected a service of ${context.shown(from.file)} to extend, got "${wanted}", which is not in it`,
    );
    return own;
  }
  const base = await resolve(wanted, from, context, [...chain, step], path);
  const resets = source.resets
    .filter((reset) => reset[0] === "services" && reset[1] === name)
    .map((reset) => reset.slice(2));
  return mergeService(without(base, resets), own, ["services", name], context.report);
}
