import { chmodSync, closeSync, lstatSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { FlyballError, messageOf } from "./errors.ts";

/** What the kernel's `sun_path` holds, without the closing zero byte. */
const SOCKET_PATH_MAX_BYTES = 107;

/** Where a link's socket is; to be disposed of after the last use of `path`. */
export interface LinkPath extends Disposable {
  /** Fits into a socket address, and may mean something to this process only. */
  readonly path: string;
}

/**
 * Makes the directory, or an existing one, private to this user.
 * @throws FlyballError STORE_UNUSABLE
 */
export function makePrivateDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const stat = lstatSync(directory);
    if (!stat.isDirectory()) throw new Error("it is not a directory");
    const user = process.getuid?.();
    if (user !== undefined && stat.uid !== user)
      throw new Error(`it belongs to user ${stat.uid}, not ${user}`);
    if ((stat.mode & 0o077) !== 0) chmodSync(directory, 0o700);
  } catch (error) {
    throw new FlyballError(
      "STORE_UNUSABLE",
      `expected a private directory at ${directory}: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/**
 * The socket's path in an existing directory. One too long for a socket address is reached through an open
 * descriptor of the directory, which Linux shows as a short path.
 * @throws FlyballError STORE_UNUSABLE
 */
export function openLinkPath(directory: string, name: string): LinkPath {
  const path = join(directory, `${name}.sock`);
  if (Buffer.byteLength(path) <= SOCKET_PATH_MAX_BYTES) return { path, [Symbol.dispose]: () => {} };
  if (process.platform !== "linux") {
    throw new FlyballError(
      "STORE_UNUSABLE",
      `expected a socket path of at most ${SOCKET_PATH_MAX_BYTES} bytes, got ${Buffer.byteLength(path)}: ${path}; use a shorter data directory`,
    );
  }
  let descriptor: number;
  try {
    descriptor = openSync(directory, "r");
  } catch (error) {
    throw new FlyballError(
      "STORE_UNUSABLE",
      `cannot open the link's directory ${directory}: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
  return {
    path: join(`/proc/self/fd/${descriptor}`, `${name}.sock`),
    [Symbol.dispose]: () => closeSync(descriptor),
  };
}
