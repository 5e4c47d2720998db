import { closeSync, openSync, readSync } from "node:fs";
import { isSystemError } from "../../core/errors.ts";

/** Larger than any of the files read here; the kernel gives each of them whole in one read. */
const bytes = Buffer.allocUnsafe(64 * 1024);

/** The bytes of the last read of any kept file: to be parsed before the next read. */
export interface FileBytes {
  readonly bytes: Uint8Array;
  readonly length: number;
}

/** One for all reads: at thousands a second an object for each is felt. */
const content = { bytes, length: 0 };

/** What was read is of something that does not exist any more. */
export class GoneError extends Error {
  override readonly name = "GoneError";
}

/**
 * A kernel file kept open and read again from its start: a quarter of the cost of opening it each time, and a file
 * of a cgroup or process that ended says so exactly, where a path could lead to a new one of the same name.
 */
export class KeptFile implements Disposable {
  readonly path: string;
  #descriptor: number | undefined;

  /** @throws GoneError when there is no such file, and the system's error when it may not be read */
  constructor(path: string) {
    this.path = path;
    try {
      this.#descriptor = openSync(path, "r");
    } catch (error) {
      throw isGone(error) ? new GoneError(`${path} is gone`) : error;
    }
  }

  get isOpen(): boolean {
    return this.#descriptor !== undefined;
  }

  /** @throws GoneError when the file's cgroup or process has ended, and the system's error for any other failure */
  read(): FileBytes {
    if (this.#descriptor === undefined) throw new GoneError(`${this.path} is closed`);
    try {
      content.length = readSync(this.#descriptor, bytes, 0, bytes.length, 0);
      return content;
    } catch (error) {
      throw isGone(error) ? new GoneError(`${this.path} is gone`) : error;
    }
  }

  [Symbol.dispose](): void {
    if (this.#descriptor === undefined) return;
    closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

/** Opens, reads and closes: for what is looked at too seldom to be worth a descriptor. */
export function readOnce(path: string): FileBytes {
  using file = new KeptFile(path);
  return file.read();
}

/** ENODEV: the cgroup was removed. ESRCH: the process ended. ENOENT: it was never seen alive. */
export function isGone(error: unknown): boolean {
  return isSystemError(error, "ENODEV") || isSystemError(error, "ESRCH") || isSystemError(error, "ENOENT");
}
