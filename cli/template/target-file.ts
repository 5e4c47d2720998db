import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { FlyballError, isSystemError, messageOf } from "../../core/errors.ts";

const NEW_FILE_MODE = 0o644;

/**
 * A file that is only ever replaced whole, by one of the same mode and owner. What lies beside it has a dot before its
 * name, so that an `include *.conf` does not find it. Every method throws TEMPLATE_INVALID when the system refuses.
 */
export class TargetFile {
  readonly path: string;

  /** Through links, so that the file is replaced and not the link to it. */
  constructor(path: string) {
    this.path = refusedAs(path, () => (isThere(path) ? realpathSync(path) : path));
    refusedAs(path, () => {
      if (existsSync(this.path) && !statSync(this.path).isFile()) throw new Error("it is not a regular file");
      if (!existsSync(dirname(this.path))) throw new Error("its directory does not exist");
    });
  }

  /** Absent: there is no file. */
  read(): string | undefined {
    return refusedAs(this.path, () => readIfThere(this.path));
  }

  /** Writes the text beside the file and gives the path of that. */
  draft(text: string): string {
    return refusedAs(this.path, () => {
      const path = this.#beside("draft");
      rmSync(path, { force: true });
      const descriptor = openSync(path, "wx", 0o600);
      try {
        writeFileSync(descriptor, text);
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
      const old = existsSync(this.path) ? statSync(this.path) : undefined;
      if (old !== undefined) chownSync(path, old.uid, old.gid);
      // After the owner, because a change of that takes some of the mode away.
      chmodSync(path, old === undefined ? NEW_FILE_MODE : old.mode & 0o7777);
      return path;
    });
  }

  /** The draft takes the file's place. */
  replace(): void {
    refusedAs(this.path, () => {
      renameSync(this.#beside("draft"), this.path);
      const directory = openSync(dirname(this.path), "r");
      fsyncSync(directory);
      closeSync(directory);
    });
  }

  discardDraft(): void {
    rmSync(this.#beside("draft"), { force: true });
  }

  remove(): void {
    refusedAs(this.path, () => rmSync(this.path, { force: true }));
  }

  /** Whether a command is still to hear of the file as it is; remembered whatever becomes of this process. */
  get isOwed(): boolean {
    return existsSync(this.#beside("owed"));
  }

  set isOwed(owed: boolean) {
    refusedAs(this.path, () => {
      if (owed) writeFileSync(this.#beside("owed"), "");
      else rmSync(this.#beside("owed"), { force: true });
    });
  }

  #beside(what: string): string {
    return join(dirname(this.path), `.${basename(this.path)}.flyball-${what}`);
  }
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw error;
  }
}

function refusedAs<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new FlyballError("TEMPLATE_INVALID", `${path} cannot be kept: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
