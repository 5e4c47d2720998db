import type { DiagnosticPlace, Diagnostics } from "../../core/diagnostics.ts";
import { isFlyballError } from "../../core/errors.ts";
import { parseDotenv } from "./dotenv.ts";
import { readTextFile } from "./files.ts";
import { isThere } from "./find.ts";
import { choice } from "./read.ts";
import { asList, asMapping, mapValues, scalarText, type YamlMapping, type YamlValue } from "./values.ts";

/** Variables by name, each set. */
export type Environment = Readonly<Record<string, string>>;

/** The variables that are set. */
export function definedOnly(environment: Readonly<Record<string, string | undefined>>): Environment {
  const entries = Object.entries(environment).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return Object.fromEntries(entries);
}

export interface EnvFileContext {
  /** Variables that are set already; they are asked first when a file refers to one. */
  readonly environment: Environment;
  readonly diagnostics: Diagnostics;
  /** A path as a person would name it. */
  readonly shown: (path: string) => string;
}

/**
 * The variables of several `.env` files, later ones over earlier ones. Problems go to the diagnostics; `from` is where
 * the files are named, if somewhere: a file that cannot be read is a problem of that place.
 */
export async function readEnvFiles(
  files: readonly string[],
  { environment, diagnostics, shown }: EnvFileContext,
  from?: DiagnosticPlace,
): Promise<Environment> {
  const variables: Record<string, string> = {};
  for (const path of files) {
    const file = shown(path);
    const text = await readOrReport(path, file, diagnostics, from ?? { path: "", file });
    if (text === undefined) continue;
    const result = parseDotenv(text, (name) => ownValue(environment, name) ?? ownValue(variables, name));
    for (const { line, message } of result.problems) diagnostics.error({ path: "", file, line }, message);
    for (const name of new Set(result.missing))
      diagnostics.warning({ path: "", file }, missingVariable(name));
    Object.assign(variables, result.variables);
  }
  return variables;
}

async function readOrReport(
  path: string,
  shown: string,
  diagnostics: Diagnostics,
  place: DiagnosticPlace,
): Promise<string | undefined> {
  try {
    return await readTextFile(path, shown);
  } catch (error) {
    if (!isFlyballError(error)) throw error;
    diagnostics.error(place, error.message);
    return undefined;
  }
}

export function missingVariable(name: string): string {
  return `the variable ${name} is not set; an empty text takes its place`;
}

/** The value of a variable, never that of an object's own machinery. */
export function ownValue(environment: Environment, name: string): string | undefined {
  return Object.hasOwn(environment, name) ? environment[name] : undefined;
}

/** The document with the values of variables that services, builds and configs take over by name alone. */
export function resolveEnvironment(document: YamlMapping, environment: Environment): YamlMapping {
  const resolved = (value: YamlValue | undefined) =>
    mapValues(asMapping(value), (item, name) => item ?? ownValue(environment, name) ?? null);
  const services = mapValues(asMapping(document["services"]), (value) => {
    const service = asMapping(value);
    return {
      ...service,
      ...("environment" in service ? { environment: resolved(service["environment"]) } : {}),
    };
  });
  return "services" in document ? { ...document, services } : document;
}

/** Build arguments that are named but set nowhere are left out; the builder has its own defaults for them. */
export function resolveBuildArguments(service: YamlMapping, environment: Environment): YamlMapping {
  const build = asMapping(service["build"]);
  if (!("args" in build)) return service;
  const args = Object.entries(asMapping(build["args"]))
    .map(([name, value]) => [name, value ?? ownValue(environment, name) ?? null] as const)
    .filter(([, value]) => value !== null);
  return { ...service, build: { ...build, args: Object.fromEntries(args) } };
}

/** The service with the variables of its `env_file` under its `environment`, and the labels of its `label_file`. */
export async function readServiceFiles(
  service: YamlMapping,
  context: EnvFileContext,
  placeOf: (key: string) => DiagnosticPlace,
): Promise<YamlMapping> {
  const { environment } = context;
  let variables: Environment = {};
  for (const item of asList(service["env_file"])) {
    const { path = "", required = true } = asMapping(item);
    const file = scalarText(path);
    if (choice(required) !== true && !(await isThere(file))) continue;
    const known = { ...context, environment: { ...environment, ...variables } };
    variables = { ...variables, ...(await readEnvFiles([file], known, placeOf("env_file"))) };
  }
  const labelFiles = asList(service["label_file"]).map(scalarText);
  const labels = await readEnvFiles(labelFiles, { ...context, environment: {} }, placeOf("label_file"));
  const own = mapValues(
    asMapping(service["environment"]),
    (value, name) => value ?? ownValue(environment, name) ?? null,
  );
  return {
    ...service,
    environment: { ...variables, ...own },
    labels: { ...labels, ...asMapping(service["labels"]) },
  };
}
