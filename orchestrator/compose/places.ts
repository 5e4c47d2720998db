import type { DiagnosticPlace } from "../../core/diagnostics.ts";
import type { Position } from "./parse.ts";
import { formatPath, type YamlPath } from "./values.ts";

/** Where the values of one file stand. */
export interface FilePlaces {
  /** The file, as the person named it. */
  readonly file: string;
  readonly positions: ReadonlyMap<string, Position>;
}

/** The place of a value, or of the nearest thing around it that stands in the file. */
export function placeIn({ file, positions }: FilePlaces, path: YamlPath): DiagnosticPlace {
  return { path: formatPath(path), file, ...nearestPosition(positions, path)?.position };
}

/** The place in the last of several merged files that says most about a value. */
export function placeInMerged(files: readonly FilePlaces[], path: YamlPath): DiagnosticPlace {
  let best: { depth: number; file: string; position: Position } | undefined;
  for (const { file, positions } of files) {
    const found = nearestPosition(positions, path);
    if (found !== undefined && found.depth >= (best?.depth ?? 0)) best = { ...found, file };
  }
  if (best !== undefined) return { path: formatPath(path), file: best.file, ...best.position };
  const [first] = files;
  return { path: formatPath(path), ...(first === undefined ? {} : { file: first.file }) };
}

function nearestPosition(
  positions: ReadonlyMap<string, Position>,
  path: YamlPath,
): { depth: number; position: Position } | undefined {
  for (let depth = path.length; depth > 0; depth--) {
    const position = positions.get(formatPath(path.slice(0, depth)));
    if (position !== undefined) return { depth, position };
  }
  return undefined;
}
