import { type DiagnosticPlace, type Diagnostics, placeOf } from "../../core/diagnostics.ts";
import { FlyballError, isFlyballError } from "../../core/errors.ts";
import { canonicalDocument } from "./canonical.ts";
import { type Environment, missingVariable, ownValue } from "./environment.ts";
import { readTextFile, readTextStream } from "./files.ts";
import { interpolate, type Lookup } from "./interpolate.ts";
import { distinctDocument } from "./merge.ts";
import { parseYaml } from "./parse.ts";
import { type FilePlaces, placeIn } from "./places.ts";
import { checkShape } from "./shape.ts";
import { COMPOSE_SHAPE } from "./support.ts";
import {
  describe,
  formatPath,
  isMapping,
  mapValues,
  type YamlMapping,
  type YamlPath,
  type YamlValue,
} from "./values.ts";

/** One YAML document of a compose file. */
export interface ComposeDocument extends FilePlaces {
  /** Absolute, or `-` for standard input. */
  readonly path: string;
  readonly value: YamlMapping;
  readonly resets: readonly YamlPath[];
}

export interface ReadContext {
  readonly diagnostics: Diagnostics;
  /** A path as a person would name it. */
  readonly shown: (path: string) => string;
  readonly stdin: AsyncIterable<Uint8Array | string>;
}

/**
 * Reads the documents of a compose file as they are written; problems go to the diagnostics. `from` is where another
 * file names this one, if one does: a file that cannot be read is a problem of that place.
 */
export async function readDocuments(
  path: string,
  context: ReadContext,
  from?: DiagnosticPlace,
): Promise<ComposeDocument[]> {
  const { diagnostics } = context;
  const file = path === "-" ? "-" : context.shown(path);
  let text: string;
  try {
    text = path === "-" ? await readTextStream(context.stdin) : await readTextFile(path, file);
  } catch (error) {
    if (!isFlyballError(error) || error.code === "COMPOSE_TOO_LARGE") throw error;
    if (from === undefined && error.code === "COMPOSE_NOT_FOUND") throw error;
    diagnostics.error(from ?? { path: "", file }, error.message);
    return [];
  }
  const { documents, problems } = parseYaml(text);
  for (const problem of problems) {
    const place = { path: formatPath(problem.path), file, ...problem.position };
    if (problem.tooLarge === true) {
      throw new FlyballError("COMPOSE_TOO_LARGE", `${placeOf(place)}: ${problem.message}`);
    }
    diagnostics.error(place, problem.message);
  }
  return documents.flatMap(({ value, positions, resets }): ComposeDocument[] => {
    if (isMapping(value)) return [{ path, file, value, positions, resets }];
    diagnostics.error({ path: "", file }, `expected a mapping with services, got ${describe(value)}`);
    return [];
  });
}

/** The document with its variables replaced and its short forms written out, checked against the specification. */
export function prepareDocument(
  document: ComposeDocument,
  environment: Environment,
  diagnostics: Diagnostics,
): ComposeDocument {
  const lookup: Lookup = (name) => ownValue(environment, name);
  const interpolated = interpolateTree(document.value, [], (text, path) => {
    const result = interpolate(text, lookup);
    for (const name of new Set(result.missing))
      diagnostics.warning(placeIn(document, path), missingVariable(name));
    for (const problem of result.problems) diagnostics.error(placeIn(document, path), problem);
    return result.text;
  });
  const value = isMapping(interpolated) ? interpolated : {};
  const problems = checkShape(value, COMPOSE_SHAPE);
  for (const { severity, path, message } of problems) diagnostics[severity](placeIn(document, path), message);
  if (problems.some(({ severity }) => severity === "error")) return { ...document, value: {} };
  const canonical = canonicalDocument(value, {
    error: (path, message) => diagnostics.error(placeIn(document, path), message),
    warning: (path, message) => diagnostics.warning(placeIn(document, path), message),
  });
  return { ...document, value: distinctDocument(canonical) };
}

function interpolateTree(
  value: YamlValue,
  path: YamlPath,
  replace: (text: string, path: YamlPath) => string,
): YamlValue {
  if (typeof value === "string") return replace(value, path);
  if (Array.isArray(value))
    return value.map((item, index) => interpolateTree(item, [...path, index], replace));
  if (isMapping(value))
    return mapValues(value, (item, name) => interpolateTree(item, [...path, name], replace));
  return value;
}
