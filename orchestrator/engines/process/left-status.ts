/** What a run leaves behind of itself, written down by its own shells: nobody else knows when no daemon watches. */
import { readFileSync } from "node:fs";
import { isSystemError } from "../../../core/errors.ts";

/** The descriptor on which it is written: that the command was begun, and of a task how it ended. */
export const STATUS_DESCRIPTOR = 4;

/** The shell's own number tells the run from those before it; always as long, since it is written over what they left. */
export const SAY_BEGUN = `printf 'begun %10d\\n' $$ >&${STATUS_DESCRIPTOR}`;

/**
 * Waits for the command, and says how that ended. Signals go to the whole group, so that the command has them, and the
 * shell lives on to tell of the end.
 */
const KEEP_STATUS =
  `trap : TERM INT QUIT HUP USR1 USR2; ` +
  `"$@" ${STATUS_DESCRIPTOR}>&-; s=$?; echo "$s" >&${STATUS_DESCRIPTOR}; exit "$s"`;

/** The command that does the same, and leaves its exit status behind. */
export function keepingStatus(argv: readonly string[]): readonly string[] {
  return ["/bin/sh", "-c", KEEP_STATUS, "task", ...argv];
}

export interface LeftStatus {
  /** False: its daemon died before it let it become the command. */
  readonly begun: boolean;
  /** Absent: it was not left to say, or has not ended. */
  readonly exitCode?: number;
}

/** @param pid of the run that is asked about */
export function readLeftStatus(path: string, pid: number): LeftStatus {
  try {
    const [begun, digits] = readFileSync(path, "utf8").split("\n");
    const exitCode = /^\d{1,3}$/.test(digits ?? "") ? Number(digits) : undefined;
    return {
      begun: begun === `begun ${String(pid).padStart(10)}`,
      ...(exitCode === undefined ? {} : { exitCode }),
    };
  } catch (error) {
    // It cannot tell any more, and what may have been done is not done twice.
    if (isSystemError(error, "ENOENT")) return { begun: true };
    throw error;
  }
}
