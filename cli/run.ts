import { CommanderError } from "commander";
import { ERRORS, formatError, isFlyballError, isSystemError } from "../core/errors.ts";
import type { CommandContext } from "./commands/command.ts";
import { loadDaemonCode } from "./daemon-door.ts";
import { createProgram } from "./program.ts";
import { printable, processTerminal } from "./terminal.ts";

const USAGE_EXIT = 2;

/** Runs one command line and returns the exit status; errors are noted, never thrown. */
export async function run(words: readonly string[], context: CommandContext): Promise<number> {
  const { note } = context.terminal;
  try {
    await createProgram(context).parseAsync(words, { from: "user" });
    return 0;
  } catch (error) {
    // Commander has already said what it is.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE_EXIT;
    note(printable(formatError(error)));
    if (isFlyballError(error)) return ERRORS[error.code].exit;
    if (error instanceof Error && error.stack !== undefined) note(error.stack);
    return ERRORS.INTERNAL.exit;
  }
}

/** Runs the command line of this process. */
export async function runProcess(): Promise<void> {
  process.stdout.on("error", (error) => {
    // `flyball ps | head` has read enough.
    if (isSystemError(error, "EPIPE")) process.exit(0);
    throw error;
  });
  const context = { terminal: processTerminal(), loadDaemonCode };
  process.exitCode = await run(process.argv.slice(2), context);
}
