import { FlyballError } from "../../../core/errors.ts";
import type { ReplicaId } from "../../../core/types.ts";
import { SECOND_MS } from "../../../core/units.ts";
import { addedPaths, getArchive, inspectContainer, putArchive, statFile } from "./api.ts";
import { mapConcurrent } from "./concurrent.ts";
import type { DockerConnection } from "./connect.ts";
import { renameTarEntry } from "./tar-entry.ts";
import type { FileStat, InspectedContainer } from "./wire.ts";

/** Compose copies the text of `configs:` and of `secrets:` from the environment into a container before it starts. */
const CONCURRENCY = 4;
/** Looking at each file is a call; a program that wrote thousands is not to make a clone slow. */
const MOST_LOOKED_AT = 200;
/** Go's file mode: any of these bits says "no plain file". */
const GO_MODE_TYPE_MASK = 0x8f28_0000;

export interface InjectedFiles {
  readonly paths: readonly string[];
  /** Added files that were not looked at. */
  readonly unknown: number;
}

/**
 * The files that compose put into the container: nothing in its definition tells of them, so they are recognised by
 * what a copy through the API leaves behind.
 */
export async function injectedFiles(
  connection: DockerConnection,
  container: InspectedContainer,
  signal: AbortSignal,
): Promise<InjectedFiles> {
  const candidates = leavesOf(await addedPaths(connection, container.Id, { signal }));
  const looked = candidates.slice(0, MOST_LOOKED_AT);
  const found = await mapConcurrent(looked, CONCURRENCY, async (path) => {
    const stat = await statFile(connection, container.Id, path, { signal });
    return stat !== undefined && isInjected(stat, container) ? [path] : [];
  });
  return { paths: found.flat(), unknown: candidates.length - looked.length };
}

/** Copies files between containers, under the same paths; new, so that a clone of the clone finds them again. */
export async function putFiles(
  connection: DockerConnection,
  from: ReplicaId,
  to: ReplicaId,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  if (paths.length === 0) return;
  const writtenAtMs = Date.parse((await inspectContainer(connection, to, { signal })).Created);
  for (const path of paths) {
    const tar = renameTarEntry(await getArchive(connection, from, path, { signal }), path, writtenAtMs);
    if (tar === undefined)
      throw new FlyballError("ENGINE_REFUSED", `${path} cannot be copied into the clone`);
    await putArchive(connection, to, tar, { signal });
  }
}

/** The paths that no other path lies under, the shallow ones first: that is where configs are put. */
export function leavesOf(paths: readonly string[]): string[] {
  const parents = new Set(paths.map((path) => path.slice(0, path.lastIndexOf("/"))));
  const depthOf = (path: string): number => path.split("/").length;
  return paths
    .filter((path) => !parents.has(path))
    .sort((a, b) => depthOf(a) - depthOf(b) || (a < b ? -1 : 1));
}

/**
 * A plain file from between the creation and the start, its time in whole seconds: that is all a tar header holds, and
 * what programs write has a finer one.
 */
export function isInjected({ mode, mtime }: FileStat, { Created, State }: InspectedContainer): boolean {
  const mtimeMs = Date.parse(mtime);
  const createdSecondMs = Math.floor(Date.parse(Created) / SECOND_MS) * SECOND_MS;
  const isPlain = (mode & GO_MODE_TYPE_MASK) === 0;
  const isWholeSecond = !/\.\d*[1-9]/u.test(mtime);
  return (
    isPlain && isWholeSecond && mtimeMs >= createdSecondMs && mtimeMs <= Date.parse(State.StartedAt ?? "")
  );
}
