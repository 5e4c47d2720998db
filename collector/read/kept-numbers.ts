import { isSystemError } from "../../core/errors.ts";
import { type FileBytes, GoneError, KeptFile, readOnce } from "./kept-file.ts";
import { unsignedAt } from "./kernel-text.ts";

/** Opens a file that not every kernel or cgroup has; undefined when this one lacks it. */
export function openIfPresent(path: string): KeptFile | undefined {
  try {
    return new KeptFile(path);
  } catch (error) {
    if (error instanceof GoneError) return undefined;
    throw error;
  }
}

/** What `pick` finds in the file; undefined when there is none, it finds nothing or the read fails. */
export function pickFrom<Value>(
  file: KeptFile | undefined,
  pick: (content: FileBytes) => Value | undefined,
): Value | undefined {
  if (file === undefined || !file.isOpen) return undefined;
  try {
    return pick(file.read());
  } catch (error) {
    if (error instanceof GoneError) throw error;
    // The kernel was started without what the file tells of: a failure at each reading would cost more than the rest.
    if (isSystemError(error, "EOPNOTSUPP")) file[Symbol.dispose]();
    return undefined;
  }
}

/** The number that is the whole file. */
export function wholeNumber({ bytes, length }: FileBytes): number | undefined {
  return unsignedAt(bytes, 0, length);
}

/** What `pick` finds in a file that is opened for this once; undefined when it is not there or cannot be read. */
export function pickOnce<Value>(
  directory: string | undefined,
  name: string,
  pick: (content: FileBytes) => Value | undefined,
): Value | undefined {
  if (directory === undefined) return undefined;
  try {
    return pick(readOnce(`${directory}/${name}`));
  } catch {
    return undefined;
  }
}
