import { dirname, join, relative, resolve } from "node:path";
import type { Diagnostics } from "../../core/diagnostics.ts";
import { FlyballError } from "../../core/errors.ts";
import { definedOnly, type Environment, ownValue, readEnvFiles } from "./environment.ts";
import { FILE_NAMES, findFiles, isThere } from "./find.ts";

export interface LoadOptions {
  /** As given with `-f`; `-` is standard input. Without any they are looked for. */
  readonly files?: readonly string[];
  readonly projectName?: string;
  /** Where relative paths start; the directory of the first file unless given. */
  readonly projectDirectory?: string;
  /** As given with `--env-file`. */
  readonly envFiles?: readonly string[];
  readonly profiles?: readonly string[];
  /** The variables of the shell. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Absolute. */
  readonly workingDirectory: string;
  readonly stdin?: AsyncIterable<Uint8Array | string>;
}

/** What a project is loaded from. */
export interface Location {
  /** Absolute, in order; `-` is standard input. */
  readonly files: readonly string[];
  /** Absolute. */
  readonly envFiles: readonly string[];
  readonly profiles: readonly string[];
  /** Absolute. */
  readonly projectDirectory: string;
  /** The variables of the shell and, under them, those of the `.env` files. */
  readonly environment: Environment;
}

/** A path as a person would name it. */
export function shownPath(path: string, { files, workingDirectory }: LoadOptions): string {
  const given = files?.find((file) => resolve(workingDirectory, file) === path);
  if (given !== undefined) return given;
  const near = relative(workingDirectory, path);
  return near === "" || near.startsWith(join("..", "..")) ? path : near;
}

/**
 * Finds the files and the variables. The `.env` beside the files that are found first may name other files, as
 * COMPOSE_FILE; then those are taken, and the `.env` beside them adds what is not set yet.
 */
export async function locate(options: LoadOptions, diagnostics: Diagnostics): Promise<Location> {
  const { workingDirectory } = options;
  const absolute = (path: string) => (path === "-" ? path : resolve(workingDirectory, path));
  const shown = (path: string) => shownPath(path, options);
  const given = (options.files ?? []).map(absolute);
  let environment: Environment = { ...definedOnly(options.environment), PWD: workingDirectory };
  const directoryOf = (files: readonly string[]) => {
    const first = files.find((file) => file !== "-");
    if (options.projectDirectory !== undefined) return absolute(options.projectDirectory);
    return first === undefined ? workingDirectory : dirname(first);
  };
  const named = listVariable(ownValue(environment, "COMPOSE_ENV_FILES"), ",");
  const chosen = options.envFiles !== undefined && options.envFiles.length > 0 ? options.envFiles : named;
  const envFiles = new Set(chosen.map(absolute));
  const readEnv = async (directory: string) => {
    const beside = join(directory, ".env");
    const files = chosen.length > 0 ? [...envFiles] : (await isThere(beside)) ? [beside] : [];
    const variables = await readEnvFiles(files, { environment, diagnostics, shown });
    environment = { ...variables, ...environment };
    for (const file of files) envFiles.add(file);
  };

  const find = async () => {
    const separator = ownValue(environment, "COMPOSE_PATH_SEPARATOR") ?? ":";
    const listed = listVariable(ownValue(environment, "COMPOSE_FILE"), separator).map(absolute);
    const files = given.length > 0 ? given : listed;
    if (files.length > 0) return { files, passedOver: [] };
    return (await findFiles(directoryOf([]))) ?? { files: [], passedOver: [] };
  };

  const firstDirectory = directoryOf((await find()).files);
  await readEnv(firstDirectory);
  const { files, passedOver } = await find();
  const projectDirectory = directoryOf(files);
  if (projectDirectory !== firstDirectory && chosen.length === 0) await readEnv(projectDirectory);
  if (files.length === 0) {
    throw new FlyballError(
      "COMPOSE_NOT_FOUND",
      `expected one of ${FILE_NAMES.join(", ")} in ${projectDirectory} or above it, got none`,
    );
  }
  for (const file of passedOver) {
    diagnostics.warning(
      { path: "", file: shown(file) },
      `not read: ${files.map(shown).join(", ")} goes before it`,
    );
  }
  const asked = options.profiles ?? [];
  const profiles = asked.length > 0 ? asked : listVariable(ownValue(environment, "COMPOSE_PROFILES"), ",");
  return { files, envFiles: [...envFiles], profiles, projectDirectory, environment };
}

function listVariable(value: string | undefined, separator: string): string[] {
  return (value ?? "")
    .split(separator)
    .map((item) => item.trim())
    .filter((item) => item !== "");
}
