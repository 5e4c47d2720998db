import { dirname, isAbsolute, join } from "node:path";
import type { DiagnosticPlace, Diagnostics } from "../../core/diagnostics.ts";
import { withBuildContexts } from "./defaults.ts";
import { type ComposeDocument, prepareDocument, type ReadContext, readDocuments } from "./documents.ts";
import { type Environment, readEnvFiles, resolveEnvironment } from "./environment.ts";
import { applyExtends, type ServicesFile } from "./extends.ts";
import { isThere } from "./find.ts";
import { importDocument, readIncludes } from "./include.ts";
import { mergeDocuments, without } from "./merge.ts";
import { absolutePath, resolvePaths } from "./paths.ts";
import { type FilePlaces, placeInMerged } from "./places.ts";
import { asMapping, type Report, type YamlMapping, type YamlPath } from "./values.ts";

/** What the files of one project share while they are loaded. */
export interface Loading extends ReadContext {
  readonly home: string;
  /** The places of every document read so far. */
  readonly places: FilePlaces[];
}

/** Throws every problem found so far as one error. */
export function failOnErrors(diagnostics: Diagnostics): void {
  diagnostics.throwIfErrors("COMPOSE_INVALID", "the compose files cannot be used");
}

/** Takes problems of merged documents, and finds the file and line they come from. */
export function reporter({ diagnostics, places }: Loading): Report {
  return (path, message) => diagnostics.error(placeInMerged(places, path), message);
}

/** The documents of several files in order. */
export async function readAll(
  files: readonly string[],
  loading: Loading,
  from?: DiagnosticPlace,
): Promise<ComposeDocument[]> {
  const documents: ComposeDocument[] = [];
  for (const file of files) documents.push(...(await readDocuments(file, loading, from)));
  return documents;
}

/** Files that are merged with one another, and what they start from. */
export interface Group {
  readonly base: { readonly directory: string; readonly home: string };
  readonly environment: Environment;
  /** The files that led here, so that a circle of includes ends. */
  readonly chain: readonly string[];
}

/** Documents of one group merged in order, each with what it extends and includes; all paths absolute. */
export async function mergeAll(
  documents: readonly ComposeDocument[],
  group: Group,
  loading: Loading,
): Promise<YamlMapping> {
  const prepared = documents.map((document) =>
    prepareDocument(document, group.environment, loading.diagnostics),
  );
  failOnErrors(loading.diagnostics);
  loading.places.push(...prepared);
  const report = reporter(loading);
  let merged: YamlMapping = {};
  for (const document of prepared) {
    const services = await extendServices(document, group, loading);
    const { include: _, version: __, ...rest } = { ...document.value, ...services };
    let own: YamlMapping = rest;
    for (const included of await readIncluded(document, group, loading)) {
      own = importDocument(own, included, report);
    }
    merged = mergeDocuments(without(merged, document.resets), own, report);
  }
  return resolveEnvironment(resolvePaths(withBuildContexts(merged), group.base), group.environment);
}

async function extendServices(
  document: ComposeDocument,
  group: Group,
  loading: Loading,
): Promise<YamlMapping> {
  if (!("services" in document.value)) return {};
  const opened = new Map<string, Promise<ServicesFile | undefined>>();
  const report = reporter(loading);
  const open = (file: string, from: ServicesFile, link: YamlPath): Promise<ServicesFile | undefined> => {
    const directory = from.file === document.path ? group.base.directory : dirname(from.file);
    const path = absolutePath(file, { directory, home: loading.home });
    const known = opened.get(path) ?? openServices(path, group, loading, placeInMerged([document], link));
    opened.set(path, known);
    return known;
  };
  const source = {
    file: document.path,
    services: asMapping(document.value["services"]),
    resets: document.resets,
  };
  return { services: await applyExtends(source, { open, report, shown: loading.shown }) };
}

/** The services of another file, ready to be extended; its networks and volumes stay behind. */
async function openServices(
  path: string,
  group: Group,
  loading: Loading,
  from: DiagnosticPlace,
): Promise<ServicesFile> {
  const documents = await readDocuments(path, loading, from);
  failOnErrors(loading.diagnostics);
  const prepared = documents.map((document) =>
    prepareDocument(document, group.environment, loading.diagnostics),
  );
  failOnErrors(loading.diagnostics);
  loading.places.push(...prepared.map(({ file, positions }) => ({ file, positions })));
  const base = { directory: dirname(path), home: loading.home };
  const report = reporter(loading);
  const merged = prepared
    .map((document) => document.value)
    .reduce((before, value) => mergeDocuments(before, value, report), {});
  const services = asMapping(resolvePaths(merged, base)["services"]);
  return { file: path, services, resets: prepared.flatMap((document) => document.resets) };
}

async function readIncluded(
  document: ComposeDocument,
  group: Group,
  loading: Loading,
): Promise<YamlMapping[]> {
  const models: YamlMapping[] = [];
  for (const [index, include] of readIncludes(document.value).entries()) {
    const place = placeInMerged([document], ["include", index]);
    const paths = include.paths.map((path) => absolutePath(path, group.base));
    const [main = ""] = paths;
    if (group.chain.includes(main)) {
      const circle = [...group.chain, main].map(loading.shown).join(" -> ");
      reporter(loading)(
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
      { environment: group.environment, diagnostics: loading.diagnostics, shown: loading.shown },
      place,
    );
    const documents = await readAll(paths, loading, place);
    failOnErrors(loading.diagnostics);
    models.push(
      await mergeAll(
        documents,
        {
          base: { directory, home: loading.home },
          environment: { ...variables, ...group.environment },
          chain: [...group.chain, main],
        },
        loading,
      ),
    );
  }
  return models;
}
