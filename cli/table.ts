import { type Paint, printable, type Style } from "./terminal.ts";

/** One cell: a text, or a text with a style. */
export type Cell = string | { readonly text: string; readonly style: Style };

export interface TableOptions {
  readonly paint: Paint;
  /** The last column is cut to fit in this many; absent: nothing is cut. */
  readonly columns?: number | undefined;
}

const GAP = "  ";
const NARROWEST_LAST_COLUMN = 12;

/** Columns aligned to the left under dim headers; no borders, so that lines can be given to other commands. */
export function renderTable(
  headers: readonly string[],
  rows: readonly (readonly Cell[])[],
  options: TableOptions,
): string {
  const { paint, columns } = options;
  const cells = rows.map((row) => row.map(clean));
  const widths = headers.map((header, column) =>
    Math.max(header.length, ...cells.map((row) => row[column]?.text.length ?? 0)),
  );
  const last = headers.length - 1;
  const beforeLast = widths.slice(0, last).reduce((sum, width) => sum + width + GAP.length, 0);
  const room =
    columns === undefined ? Number.POSITIVE_INFINITY : Math.max(NARROWEST_LAST_COLUMN, columns - beforeLast);

  const line = (row: readonly { text: string; style?: Style }[]) =>
    row
      .map(({ text, style }, column) => {
        const shown = column === last ? cut(text, room) : text.padEnd(widths[column] ?? 0);
        return style === undefined ? shown : paint(style, shown);
      })
      .join(GAP)
      .trimEnd();
  return [line(headers.map((text) => ({ text, style: "dim" }))), ...cells.map(line)].join("\n");
}

function clean(cell: Cell): { text: string; style?: Style } {
  const { text, ...rest } = typeof cell === "string" ? { text: cell } : cell;
  return { text: printable(text).replaceAll("\n", " "), ...rest };
}

function cut(text: string, room: number): string {
  return text.length <= room ? text : `${text.slice(0, room - 1)}…`;
}
