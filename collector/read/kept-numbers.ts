import { type FileBytes, GoneError, KeptFile } from "./kept-file.ts";

/** Opens a file that not every kernel or cgroup has; undefined when this one lacks it. */
export function openIfPresent(path: string): KeptFile | undefined {
  try {
    return new KeptFile(path);
  } catch (error) {
    if (error instanceof GoneError) return undefined;
    throw error;
  }
}

/** The number that `pick` finds in the file; undefined when there is none or the read fails. */
export function numberFrom(
  file: KeptFile | undefined,
  pick: (content: FileBytes) => number | undefined,
): number | undefined {
  if (file === undefined) return undefined;
  try {
    return pick(file.read());
  } catch (error) {
    if (error instanceof GoneError) throw error;
    return undefined;
  }
}
