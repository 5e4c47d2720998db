/** How a task ended, written down by its own shell: nobody else knows when no daemon watches. */
import { readFileSync } from "node:fs";
import { isSystemError } from "../../../core/errors.ts";

/** The descriptor on which the status is written. */
export const STATUS_DESCRIPTOR = 4;

/**
 * Waits for the command and writes down how it ended. Signals go to the whole group, so that the command has them, and
 * the shell lives on to tell of the end.
 */
const KEEP_STATUS = `trap : TERM INT QUIT HUP USR1 USR2; "$@" ${STATUS_DESCRIPTOR}>&-; s=$?; printf "%s\\n" "$s" >&${STATUS_DESCRIPTOR}; exit "$s"`;

/** The command that does the same, and leaves its exit status behind. */
export function keepingStatus(argv: readonly string[]): readonly string[] {
  return ["/bin/sh", "-c", KEEP_STATUS, "task", ...argv];
}

/** Absent: it was not left to say. */
export function readExitStatus(path: string): number | undefined {
  try {
    const [, digits] = /^(\d{1,3})\n$/.exec(readFileSync(path, "utf8")) ?? [];
    return digits === undefined ? undefined : Number(digits);
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw error;
  }
}
