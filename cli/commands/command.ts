import type { Command } from "commander";
import type { DaemonCode } from "../daemon-door.ts";
import type { Terminal } from "../terminal.ts";

/** What a command is given beside its arguments. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly loadDaemonCode: () => Promise<DaemonCode>;
}

/** Adds one command to the program. */
export type AddCommand = (program: Command, context: CommandContext) => void;
