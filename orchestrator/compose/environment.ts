import type { Diagnostics } from "../../core/diagnostics.ts";
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

/**
 * The variables of several `.env` files, later ones over earlier ones. Problems go to the diagnostics; variables that
 * are set already are asked first when one file refers to another.
 */
export async function readEnvFiles(
  files: readonly string[],
  known: Environment,
  diagnostics: Diagnostics,
  shown: (file: string) => string = (file) => file,
): Promise<Environment> {
  const variables: Record<string, string> = {};
  for (const file of files) {
    const text = await readOrReport(file, shown(file), diagnostics);
    if (text === undefined) continue;
    const result = parseDotenv(text, (name) => ownValue(known, name) ?? ownValue(variables, name));
    for (const { line, message } of result.problems)
      diagnostics.error({ path: "", file: shown(file), line }, message);
    for (const name of new Set(result.missing)) {
      diagnostics.warning({ path: "", file: shown(file) }, missingVariable(name));
    }
    Object.assign(variables, result.variables);
  }
  return variables;
}

async function readOrReport(
  file: string,
  shown: string,
  diagnostics: Diagnostics,
): Promise<string | undefined> {
  try {
    return await readTextFile(file, shown);
  } catch (error) {
    if (!isFlyballError(error)) throw error;
    diagnostics.error({ path: "", file: shown }, error.message);
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
  environment: Environment,
  diagnostics: Diagnostics,
  shown: (file: string) => string,
): Promise<YamlMapping> {
  const files: string[] = [];
  for (const item of asList(service["env_file"])) {
    const { path = "", required = true } = asMapping(item);
    const file = scalarText(path);
    if (choice(required) === true || (await isThere(file))) files.push(file);
  }
  const variables = await readServiceEnvFiles(files, environment, diagnostics, shown);
  const labelFiles = asList(service["label_file"]).map(scalarText);
  const labels = await readEnvFiles(labelFiles, {}, diagnostics, shown);
  const own = asMapping(service["environment"]);
  return {
    ...service,
    environment: {
      ...variables,
      ...mapValues(own, (value, name) => value ?? ownValue(environment, name) ?? null),
    },
    labels: { ...labels, ...asMapping(service["labels"]) },
  };
}

async function readServiceEnvFiles(
  files: readonly string[],
  environment: Environment,
  diagnostics: Diagnostics,
  shown: (file: string) => string,
): Promise<Environment> {
  let variables: Environment = {};
  for (const file of files) {
    variables = {
      ...variables,
      ...(await readEnvFiles([file], { ...environment, ...variables }, diagnostics, shown)),
    };
  }
  return variables;
}
