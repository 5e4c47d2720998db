import type { Family } from "./family.ts";

/** The two ways to write a page of metrics. */
export type PageFormat = "prometheus" | "openmetrics";

export const CONTENT_TYPES: Readonly<Record<PageFormat, string>> = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** What stands at the end of a page. */
export const PAGE_ENDS: Readonly<Record<PageFormat, string>> = { prometheus: "", openmetrics: "# EOF\n" };

const TOTAL = "_total";

/**
 * The lines before a family's series. OpenMetrics names a counter without the `_total` of its series; a counter whose
 * name lacks it, as some that are known by their names, is of a type unknown there.
 */
export function heading(
  { name, type, help, unit }: Omit<Family<never>, "rows" | "labels">,
  format: PageFormat,
): string {
  if (format === "prometheus") {
    const shownType = type === "unknown" ? "untyped" : type;
    return `# HELP ${name} ${escapeHelp(help, format)}\n# TYPE ${name} ${shownType}\n`;
  }
  const isCounter = type === "counter" && name.endsWith(TOTAL);
  const family = isCounter ? name.slice(0, -TOTAL.length) : name;
  const shownType = type === "counter" && !isCounter ? "unknown" : type;
  // Only a name that ends with its unit may be followed by it.
  const unitLine = unit !== "" && family.endsWith(`_${unit}`) ? `# UNIT ${family} ${unit}\n` : "";
  return `# TYPE ${family} ${shownType}\n${unitLine}# HELP ${family} ${escapeHelp(help, format)}\n`;
}

/** Only OpenMetrics escapes a quote in a help text. */
function escapeHelp(help: string, format: PageFormat): string {
  const escaped = help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return format === "openmetrics" ? escaped.replaceAll('"', '\\"') : escaped;
}

/** The format that an `Accept` header prefers; what no header says, or names nothing known, is Prometheus' text. */
export function formatFor(accept: string | undefined): PageFormat {
  let best = { format: "prometheus" as PageFormat, quality: 0 };
  for (const range of (accept ?? "").split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    const format = formatOfType(type, parameters);
    if (format === undefined) continue;
    const stated = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
    const quality = stated === undefined ? 1 : Number(stated);
    if (quality > best.quality) best = { format, quality };
  }
  return best.format;
}

function formatOfType(type: string, parameters: readonly string[]): PageFormat | undefined {
  if (type === "application/openmetrics-text") {
    const version = parameters
      .find((parameter) => parameter.startsWith("version="))
      ?.slice("version=".length);
    return version === undefined || version.startsWith("1.") || version.startsWith("0.")
      ? "openmetrics"
      : undefined;
  }
  // The newer version of the text allows names in quotes; a page of plain names is valid in both.
  return type === "text/plain" || type === "*/*" || type === "text/*" ? "prometheus" : undefined;
}
