import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { messageOf } from "../core/errors.ts";
import { makePrivateDirectory } from "../core/link-path.ts";
import { type CollectorRun, REMOTE_WRITE_TOKEN, REMOTE_WRITE_URL, writeArguments } from "./settings.ts";

const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));
/** Small heap spaces: the collector keeps little, and would otherwise let garbage grow to tens of megabytes. */
const NODE_FLAGS = [
  "--max-semi-space-size=1",
  "--max-old-space-size=192",
  // For `process.execve`.
  "--disable-warning=ExperimentalWarning",
];

/** How the collector's process is started. */
export interface CollectorCommand {
  readonly file: string;
  readonly words: readonly string[];
  /** All that the process needs, and nothing else of whoever starts it. */
  readonly environment: Readonly<Record<string, string>>;
}

/** `cacheDirectory` must be private: what stands in it is run. Absent: it starts more slowly, and is larger. */
export function collectorCommand(run: CollectorRun, cacheDirectory: string | undefined): CollectorCommand {
  const { remoteWrite, runtimeDirectory } = run.settings;
  return {
    file: process.execPath,
    words: [...NODE_FLAGS, MAIN, ...writeArguments(run)],
    environment: {
      ...(cacheDirectory === undefined ? {} : { NODE_COMPILE_CACHE: cacheDirectory }),
      ...(remoteWrite === undefined ? {} : { [REMOTE_WRITE_URL]: remoteWrite.url }),
      ...(remoteWrite?.token === undefined ? {} : { [REMOTE_WRITE_TOKEN]: remoteWrite.token }),
      ...(runtimeDirectory === undefined ? {} : { XDG_RUNTIME_DIR: runtimeDirectory }),
    },
  };
}

/** @throws FlyballError STORE_UNUSABLE */
export function makeCacheDirectory(dataDirectory: string): string {
  const directory = join(dataDirectory, "collector-cache");
  // What stands in it is run.
  makePrivateDirectory(directory);
  return directory;
}

/** This process ends, and the collector runs on its own in its place: same id, same terminal. */
export function becomeAgent(settings: CollectorRun["settings"], dataDirectory: string): void {
  const { file, words, environment } = collectorCommand({ kind: "agent", settings }, cacheFor(dataDirectory));
  process.execve?.(file, [file, ...words], { ...environment });
}

/** An agent keeps nothing: one that may write nowhere is only slower to start. */
function cacheFor(dataDirectory: string): string | undefined {
  try {
    return makeCacheDirectory(dataDirectory);
  } catch (error) {
    process.stderr.write(`no compile cache: ${messageOf(error)}\n`);
    return undefined;
  }
}
