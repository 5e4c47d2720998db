import type { PageFormat } from "./page-format.ts";

const IN_LABEL = /[\\\n"]/gu;
const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", '"': '\\"' };

/** A label's value as it stands between quotes. */
export function escapeLabelValue(value: string): string {
  return value.replace(IN_LABEL, (character) => ESCAPES[character] ?? character);
}

/** Only OpenMetrics escapes a quote in a help text. */
export function escapeHelp(help: string, format: PageFormat): string {
  const escaped = help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return format === "openmetrics" ? escaped.replaceAll('"', '\\"') : escaped;
}
