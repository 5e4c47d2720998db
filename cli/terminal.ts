import { styleText } from "node:util";

export type Style = "red" | "yellow" | "green" | "dim" | "bold";

/** Puts a style around a text, or leaves it as it is where styles are not wanted. */
export type Paint = (style: Style, text: string) => string;

export const plainPaint: Paint = (_style, text) => text;

/** What a command knows of the place it was typed in. */
export interface Terminal {
  /** What was asked for; a line, or several. */
  print(text: string): void;
  /** What a person should know besides. */
  note(text: string): void;
  readonly paint: Paint;
  /** Absent where the output is not read by a person. */
  readonly columns?: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  nowMs(): number;
}

/** The terminal of this process. Styles follow `NO_COLOR`, `FORCE_COLOR` and whether stdout is a terminal. */
export function processTerminal(): Terminal {
  const { stdout, stderr } = process;
  return {
    print: (text) => stdout.write(`${text}\n`),
    note: (text) => stderr.write(`${text}\n`),
    paint: (style, text) => styleText(style, text, { stream: stdout }),
    ...(stdout.isTTY ? { columns: stdout.columns } : {}),
    environment: process.env,
    workingDirectory: process.cwd(),
    nowMs: () => Date.now(),
  };
}

/** The text without what could steer a terminal: names and sentences come from images, labels and files. */
export function printable(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n]/gu, "\uFFFD");
}
