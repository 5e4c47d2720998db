/** Where the file is that a command names. */
import { accessSync, constants, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { isSystemError } from "../../../core/errors.ts";

/** What a service finds its command with when its environment has no PATH. */
export const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The file that would be executed, or why there is none. */
export function findCommand(
  command: string,
  searchPath: string,
  workingDirectory: string,
): { readonly path: string } | { readonly problem: string } {
  if (command.includes("/")) {
    const path = resolve(workingDirectory, command);
    const problem = whyNotExecutable(path);
    return problem === undefined ? { path } : { problem: `${path} ${problem}` };
  }
  let refused: string | undefined;
  for (const directory of searchPath.split(":")) {
    const path = join(resolve(workingDirectory, directory), command);
    const problem = whyNotExecutable(path);
    if (problem === undefined) return { path };
    // A directory on the way that may not be entered says nothing of a file in it.
    if (problem === NOT_EXECUTABLE) refused ??= `${path} ${problem}`;
  }
  return { problem: refused ?? `${command} was not found in PATH ${searchPath}` };
}

const NOT_EXECUTABLE = "may not be executed: permission denied";

function whyNotExecutable(path: string): string | undefined {
  try {
    if (!statSync(path).isFile()) return "is not a file";
  } catch (error) {
    return isSystemError(error, "EACCES") ? "may not be reached: permission denied" : "does not exist";
  }
  try {
    accessSync(path, constants.X_OK);
    return undefined;
  } catch {
    return NOT_EXECUTABLE;
  }
}

/** Why nothing can be started in that directory; undefined when it can. */
export function whyNotDirectory(path: string): string | undefined {
  try {
    if (!statSync(path).isDirectory()) return `${path} is not a directory`;
    accessSync(path, constants.X_OK);
    return undefined;
  } catch (error) {
    return isSystemError(error, "ENOENT") ? `${path} does not exist` : `${path} may not be entered`;
  }
}
