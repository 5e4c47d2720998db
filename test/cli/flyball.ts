import type { CommandContext } from "../../cli/commands/command.ts";
import type { DaemonCode } from "../../cli/daemon-door.ts";
import { run } from "../../cli/run.ts";
import { plainPaint } from "../../cli/terminal.ts";
import { NOW_MS } from "./documents.ts";

export interface Invocation {
  readonly environment?: Readonly<Record<string, string>>;
  /** Absent: the command must not ask for it. */
  readonly code?: DaemonCode;
  readonly onPrint?: (text: string) => void;
  readonly onNote?: (text: string) => void;
}

/** Runs a command line in this process, and gives back what a person would see of it. */
export async function flyball(words: readonly string[], invocation: Invocation = {}) {
  const { environment = {}, code, onPrint, onNote } = invocation;
  const printed: string[] = [];
  const noted: string[] = [];
  const context: CommandContext = {
    terminal: {
      print: (text) => {
        printed.push(text);
        onPrint?.(text);
      },
      note: (text) => {
        noted.push(text);
        onNote?.(text);
      },
      paint: plainPaint,
      environment,
      workingDirectory: "/srv/shop",
      nowMs: () => NOW_MS,
    },
    loadDaemonCode: async () => {
      if (code === undefined) throw new Error("this command needs no daemon's code");
      return code;
    },
  };
  const status = await run(words, context);
  return { status, printed: printed.join("\n"), noted: noted.join("\n") };
}
