import { homedir } from "node:os";
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import { type Diagnostic, type DiagnosticPlace, Diagnostics } from "../../core/diagnostics.ts";
import { FlyballError } from "../../core/errors.ts";
import { checkConsistency } from "./consistency.ts";
import { type ComposeDocument, prepareDocument, type ReadContext, readDocuments } from "./documents.ts";
import {
  definedOnly,
  type Environment,
  ownValue,
  readEnvFiles,
  readServiceFiles,
  resolveBuildArguments,
  resolveEnvironment,
} from "./environment.ts";
import { applyExtends, type ServicesFile } from "./extends.ts";
import { FILE_NAMES, findFiles, isThere } from "./find.ts";
import { importDocument, readIncludes } from "./include.ts";
import { interpolate } from "./interpolate.ts";
import { mergeDocuments, without } from "./merge.ts";
import type { ComposeProject } from "./model.ts";
import { applyDefaults, toProject, withBuildContexts } from "./normalize.ts";
import { absolutePath, resolvePaths } from "./paths.ts";
import { type FilePlaces, placeInMerged } from "./places.ts";
import { withProfiles } from "./profiles.ts";
import { normalizeProjectName, requireProjectName } from "./project-name.ts";
import { asMapping, scalarText, type YamlMapping, type YamlPath } from "./values.ts";

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

/** Where a project came from, as docker compose writes it into the labels of its containers. */
export interface ProjectSource {
  /** Absolute; relative paths of the files start here. */
  readonly projectDirectory: string;
  /** Absolute, in the order they were merged; `-` for standard input. */
  readonly files: readonly string[];
  /** Absolute. */
  readonly envFiles: readonly string[];
  readonly profiles: readonly string[];
}

export interface LoadedProject {
  readonly project: ComposeProject;
  /** Warnings only; errors are thrown. */
  readonly diagnostics: readonly Diagnostic[];
  readonly source: ProjectSource;
}

/**
 * Loads a project as `docker compose config` does. Throws a FlyballError that lists every problem found: COMPOSE_INVALID,
 * COMPOSE_NOT_FOUND when there is no file, COMPOSE_TOO_LARGE when a file or what it expands to is too large.
 */
export async function loadProject(options: LoadOptions): Promise<LoadedProject> {
  const diagnostics = new Diagnostics();
  const { files, envFiles, profiles, projectDirectory, environment } = await locate(options, diagnostics);
  const session: Session = {
    diagnostics,
    shown: (path) => shownPath(path, options),
    stdin: options.stdin ?? process.stdin,
    home: ownValue(environment, "HOME") ?? homedir(),
    places: [],
  };
  const documents = await readAll(files, session);
  failOnErrors(diagnostics);
  const name = projectName(documents, options, environment, projectDirectory);
  const known = { ...environment, COMPOSE_PROJECT_NAME: name };

  const base = { directory: projectDirectory, home: session.home };
  const merged = await mergeAll(documents, { base, environment: known, chain: files }, session);
  if (Object.keys(merged).length === 0) {
    diagnostics.error(
      { path: "", file: files.map(session.shown).join(", ") },
      "expected services, got an empty file",
    );
  }
  failOnErrors(diagnostics);

  const report = reporter(session);
  const complete = applyDefaults(merged, name);
  const enabled = withProfiles(complete, profiles);
  checkConsistency(complete, asMapping(enabled["services"]), report);
  failOnErrors(diagnostics);

  const services: YamlMapping = {};
  const context = { environment: known, diagnostics, shown: session.shown };
  for (const [service, value] of Object.entries(asMapping(enabled["services"]))) {
    const built = resolveBuildArguments(asMapping(value), known);
    services[service] = syncReplicas(
      await readServiceFiles(built, context, (key) =>
        placeInMerged(session.places, ["services", service, key]),
      ),
    );
  }
  failOnErrors(diagnostics);
  return {
    project: toProject({ ...enabled, services }),
    diagnostics: diagnostics.all,
    source: { projectDirectory, files, envFiles, profiles },
  };
}

async function readAll(
  files: readonly string[],
  session: Session,
  from?: DiagnosticPlace,
): Promise<ComposeDocument[]> {
  const documents: ComposeDocument[] = [];
  for (const file of files) documents.push(...(await readDocuments(file, session, from)));
  return documents;
}

interface Session extends ReadContext {
  readonly home: string;
  /** The places of every document read so far. */
  readonly places: FilePlaces[];
}

function failOnErrors(diagnostics: Diagnostics): void {
  diagnostics.throwIfErrors("COMPOSE_INVALID", "the compose files cannot be used");
}

function reporter({ diagnostics, places }: Session): (path: YamlPath, message: string) => void {
  return (path, message) => diagnostics.error(placeInMerged(places, path), message);
}

function shownPath(path: string, { files, workingDirectory }: LoadOptions): string {
  const given = files?.find((file) => resolve(workingDirectory, file) === path);
  if (given !== undefined) return given;
  const near = relative(workingDirectory, path);
  return near === "" || near.startsWith(join("..", "..")) ? path : near;
}

/**
 * Finds the files and the variables. The `.env` beside the files that are found first may name other files, as
 * COMPOSE_FILE; then those are taken, and the `.env` beside them adds what is not set yet.
 */
async function locate(options: LoadOptions, diagnostics: Diagnostics) {
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

/** From `-p`, COMPOSE_PROJECT_NAME, the last top-level `name`, or the directory, in this order. */
function projectName(
  documents: readonly ComposeDocument[],
  options: LoadOptions,
  environment: Environment,
  projectDirectory: string,
): string {
  const chosen = options.projectName || ownValue(environment, "COMPOSE_PROJECT_NAME");
  if (chosen !== undefined && chosen !== "") return requireProjectName(chosen);
  const names = documents.map(({ value }) => scalarText(value["name"] ?? null)).filter((name) => name !== "");
  const written = interpolate(names.at(-1) ?? "", (name) => ownValue(environment, name)).text;
  const name = normalizeProjectName(names.length > 0 ? written : basename(projectDirectory));
  return requireProjectName(name);
}

interface Group {
  readonly base: { readonly directory: string; readonly home: string };
  readonly environment: Environment;
  /** The files that led here, so that a circle of includes ends. */
  readonly chain: readonly string[];
}

/** Documents of one group merged in order, each with what it extends and includes; all paths absolute. */
async function mergeAll(
  documents: readonly ComposeDocument[],
  group: Group,
  session: Session,
): Promise<YamlMapping> {
  const prepared = documents.map((document) =>
    prepareDocument(document, group.environment, session.diagnostics),
  );
  failOnErrors(session.diagnostics);
  session.places.push(...prepared);
  const report = reporter(session);
  let merged: YamlMapping = {};
  for (const document of prepared) {
    const services = await extendServices(document, group, session);
    const { include: _, version: __, ...rest } = { ...document.value, ...services };
    let own: YamlMapping = rest;
    for (const included of await readIncluded(document, group, session)) {
      own = importDocument(own, included, report);
    }
    merged = mergeDocuments(without(merged, document.resets), own, report);
  }
  return resolveEnvironment(resolvePaths(withBuildContexts(merged), group.base), group.environment);
}

async function extendServices(
  document: ComposeDocument,
  group: Group,
  session: Session,
): Promise<YamlMapping> {
  if (!("services" in document.value)) return {};
  const opened = new Map<string, Promise<ServicesFile | undefined>>();
  const report = reporter(session);
  const open = (file: string, from: ServicesFile, link: YamlPath): Promise<ServicesFile | undefined> => {
    const directory = from.file === document.path ? group.base.directory : dirname(from.file);
    const path = absolutePath(file, { directory, home: session.home });
    const known = opened.get(path) ?? openServices(path, group, session, placeInMerged([document], link));
    opened.set(path, known);
    return known;
  };
  const source = {
    file: document.path,
    services: asMapping(document.value["services"]),
    resets: document.resets,
  };
  return { services: await applyExtends(source, { open, report, shown: session.shown }) };
}

/** The services of another file, ready to be extended; its networks and volumes stay behind. */
async function openServices(
  path: string,
  group: Group,
  session: Session,
  from: DiagnosticPlace,
): Promise<ServicesFile> {
  const documents = await readDocuments(path, session, from);
  failOnErrors(session.diagnostics);
  const prepared = documents.map((document) =>
    prepareDocument(document, group.environment, session.diagnostics),
  );
  failOnErrors(session.diagnostics);
  session.places.push(...prepared.map(({ file, positions }) => ({ file, positions })));
  const base = { directory: dirname(path), home: session.home };
  const report = reporter(session);
  const merged = prepared
    .map((document) => document.value)
    .reduce((before, value) => mergeDocuments(before, value, report), {});
  const services = asMapping(resolvePaths(merged, base)["services"]);
  return { file: path, services, resets: prepared.flatMap((document) => document.resets) };
}

async function readIncluded(
  document: ComposeDocument,
  group: Group,
  session: Session,
): Promise<YamlMapping[]> {
  const models: YamlMapping[] = [];
  for (const [index, include] of readIncludes(document.value).entries()) {
    const place = placeInMerged([document], ["include", index]);
    const paths = include.paths.map((path) => absolutePath(path, group.base));
    const [main = ""] = paths;
    if (group.chain.includes(main)) {
      const circle = [...group.chain, main].map(session.shown).join(" -> ");
      reporter(session)(
        ["include", index],
        `expected files that include others in a line, got a circle: ${circle}`,
      );
      continue;
    }
    const directory =
      include.projectDirectory === undefined
        ? dirname(main)
        : absolutePath(include.projectDirectory, group.base);
    const beside = join(directory, ".env");
    const named = include.envFiles.map((file) =>
      isAbsolute(file) ? file : join(group.base.directory, file),
    );
    const envFiles = named.length > 0 ? named : (await isThere(beside)) ? [beside] : [];
    const variables = await readEnvFiles(
      envFiles,
      { environment: group.environment, diagnostics: session.diagnostics, shown: session.shown },
      place,
    );
    const documents = await readAll(paths, session, place);
    failOnErrors(session.diagnostics);
    models.push(
      await mergeAll(
        documents,
        {
          base: { directory, home: session.home },
          environment: { ...variables, ...group.environment },
          chain: [...group.chain, main],
        },
        session,
      ),
    );
  }
  return models;
}

/** Where only `scale` is written beside a `deploy`, the replicas are the same. */
function syncReplicas(service: YamlMapping): YamlMapping {
  const scale = service["scale"];
  const deploy = service["deploy"];
  if (scale === undefined || deploy === undefined || deploy === null) return service;
  return { ...service, deploy: { ...asMapping(deploy), replicas: scale } };
}
