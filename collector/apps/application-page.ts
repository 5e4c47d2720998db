import { valueText } from "./app-labels.ts";
import type { ApplicationFamily, ApplicationSeries } from "./applications.ts";
import type { MetricType } from "./metrics-text.ts";

interface PageFamily {
  readonly first: ApplicationFamily;
  /** By series: one that two replicas show would make the page invalid. */
  readonly lines: Map<string, string>;
}

/** What each type is called in Prometheus' text, which knows fewer. */
const PROMETHEUS_TYPES: Readonly<Record<MetricType, string>> = {
  counter: "counter",
  gauge: "gauge",
  histogram: "histogram",
  summary: "summary",
  info: "gauge",
  stateset: "gauge",
  gaugehistogram: "untyped",
  unknown: "untyped",
};

/**
 * The replicas' own metrics as one text, each family once: without OpenMetrics' closing line, as a part of a page. A family
 * that two replicas give different types is of the first one's; of the other it is left out, which `left` counts.
 */
export function applicationPage(
  replicas: readonly (readonly ApplicationFamily[])[],
  openMetrics: boolean,
): { readonly text: string; readonly left: number } {
  const families = new Map<string, PageFamily>();
  let left = 0;
  for (const read of replicas) {
    for (const family of read) {
      const known = families.get(family.name) ?? { first: family, lines: new Map() };
      families.set(family.name, known);
      if (known.first.type !== family.type || isBareCounter(known.first) !== isBareCounter(family)) {
        left += family.series.length;
        continue;
      }
      for (const series of family.series) addLine(known.lines, series);
    }
  }
  const text = [...families.values()].map(
    ({ first, lines }) => heading(first, openMetrics) + [...lines.values()].join(""),
  );
  return { text: text.join(""), left };
}

function addLine(lines: Map<string, string>, { name, labels, value }: ApplicationSeries): void {
  lines.set(`${name}${labels}`, `${name}${labels} ${valueText(value)}\n`);
}

function heading(family: ApplicationFamily, openMetrics: boolean): string {
  const { type, help } = family;
  const bare = isBareCounter(family);
  const word = openMetrics ? (bare ? "unknown" : type) : PROMETHEUS_TYPES[type];
  const name = openMetrics ? family.name : `${family.name}${prometheusSuffix(type, bare)}`;
  // A quote is escaped in OpenMetrics only.
  const escaped = help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  const helpText = openMetrics ? escaped.replaceAll('"', '\\"') : escaped;
  return `${help === "" ? "" : `# HELP ${name} ${helpText}\n`}# TYPE ${name} ${word}\n`;
}

function prometheusSuffix(type: MetricType, bare: boolean): string {
  if (type === "counter") return bare ? "" : "_total";
  return type === "info" ? "_info" : "";
}

/** A counter without the ending that OpenMetrics wants of one. */
function isBareCounter({ type, name, series }: ApplicationFamily): boolean {
  return type === "counter" && series.some((one) => one.name === name);
}
