import type { TokenView } from "../core/wire-access.ts";
import { formatInstant, UNKNOWN } from "./render.ts";
import { renderTable, type TableOptions } from "./table.ts";

export function renderTokens(tokens: readonly TokenView[], options: TableOptions): string {
  if (tokens.length === 0) return "no tokens: flyball token create NAME --scope read makes one";
  const rows = tokens.map(({ name, scope, createdAtMs, expiresAtMs, lastUsedAtMs }) => [
    name,
    scope,
    formatInstant(createdAtMs),
    expiresAtMs === undefined ? "never" : formatInstant(expiresAtMs),
    lastUsedAtMs === undefined ? UNKNOWN : formatInstant(lastUsedAtMs),
  ]);
  return renderTable(["NAME", "SCOPE", "MADE", "EXPIRES", "LAST USED"], rows, options);
}
