import { type Label, parseSampleLine, type SampleLine } from "../sample-line.ts";

export type { Label };
export type Series = Omit<SampleLine, "key">;

/**
 * The text in which applications expose their metrics, Prometheus' and OpenMetrics', read into families. What cannot be
 * understood is left out and counted: one bad line never costs the others.
 */

const METRIC_TYPES = [
  "counter",
  "gauge",
  "histogram",
  "summary",
  "info",
  "stateset",
  "gaugehistogram",
  "unknown",
] as const;
export type MetricType = (typeof METRIC_TYPES)[number];

export interface Family {
  /** As OpenMetrics names it: a counter's without `_total`. */
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  readonly series: readonly Series[];
}

export interface MetricsText {
  readonly families: readonly Family[];
  /** Their type is said, and they have no series yet: what they count has not happened. */
  readonly announced: readonly Family[];
  /** Lines that could not be understood. */
  readonly badLines: number;
  /** Series beyond those asked for. */
  readonly droppedSeries: number;
}

interface OpenFamily {
  readonly name: string;
  type: MetricType;
  help: string;
  readonly series: Series[];
}

/** The endings that samples of a type have; "" is the family's name alone. */
const SUFFIXES: Readonly<Record<MetricType, readonly string[]>> = {
  counter: ["_total", ""],
  gauge: [""],
  histogram: ["_bucket", "_count", "_sum"],
  summary: ["", "_count", "_sum"],
  info: ["_info"],
  stateset: [""],
  gaugehistogram: ["_bucket", "_gcount", "_gsum"],
  unknown: [""],
};
/** When a counter began, which some write beside it: it is no value of the application's. */
const CREATED = "_created";
const TOTAL = "_total";

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const COMMENT = new RegExp(`^#\\s+(TYPE|HELP)\\s+(${NAME})(?:\\s+(.*))?$`, "u");

export function parseMetricsText(text: string, maxSeries: number): MetricsText {
  const families = new Map<string, OpenFamily>();
  let badLines = 0;
  let seriesCount = 0;
  let droppedSeries = 0;
  const seen = new Set<string>();
  for (const raw of text.split("\n")) {
    const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    if (line.trim() === "") continue;
    if (line.startsWith("#")) {
      describe(families, line);
      continue;
    }
    const sample = parseSampleLine(line);
    if (sample === undefined) {
      badLines += 1;
      continue;
    }
    const { name, labels, value } = sample;
    const family = familyOf(families, name);
    if (family === undefined) continue;
    const key = `${name} ${JSON.stringify(labels)}`;
    if (seen.has(key)) badLines += 1;
    else if (seriesCount >= maxSeries) droppedSeries += 1;
    else {
      seen.add(key);
      seriesCount += 1;
      family.series.push({ name, labels, value });
    }
  }
  const all = [...families.values()];
  return {
    families: all.filter(({ series }) => series.length > 0),
    announced: all.filter(({ series, type }) => series.length === 0 && type !== "unknown"),
    badLines,
    droppedSeries,
  };
}

function describe(families: Map<string, OpenFamily>, line: string): void {
  const [, word, written = "", rest = ""] = COMMENT.exec(line) ?? [];
  if (word === undefined) return;
  if (word === "HELP") {
    open(families, written).help = unescapeHelp(rest);
    return;
  }
  const type = METRIC_TYPES.find((known) => known === rest.trim()) ?? "unknown";
  // Prometheus' own text names a counter as its samples are named.
  const name = type === "counter" && written.endsWith(TOTAL) ? written.slice(0, -TOTAL.length) : written;
  const family = open(families, name);
  // A second opinion about what has samples already would make them false.
  if (family.series.length > 0) return;
  family.type = type;
  const described = name === written ? undefined : families.get(written);
  if (described === undefined || described.series.length > 0) return;
  family.help ||= described.help;
  families.delete(written);
}

function open(families: Map<string, OpenFamily>, name: string): OpenFamily {
  const known = families.get(name);
  if (known !== undefined) return known;
  const family: OpenFamily = { name, type: "unknown", help: "", series: [] };
  families.set(name, family);
  return family;
}

/** Undefined for a sample that is none of the application's values. */
function familyOf(families: Map<string, OpenFamily>, sampleName: string): OpenFamily | undefined {
  const exact = families.get(sampleName);
  if (exact !== undefined && SUFFIXES[exact.type].includes("")) return exact;
  for (const suffix of ["_total", "_bucket", "_count", "_sum", "_info", "_gcount", "_gsum", CREATED]) {
    if (!sampleName.endsWith(suffix)) continue;
    const family = families.get(sampleName.slice(0, -suffix.length));
    if (family === undefined) continue;
    if (SUFFIXES[family.type].includes(suffix)) return family;
    if (suffix === CREATED && ["counter", "histogram", "summary"].includes(family.type)) return undefined;
  }
  return exact === undefined || exact.type === "unknown" ? open(families, sampleName) : undefined;
}

function unescapeHelp(text: string): string {
  return text.replace(/\\(.)/gu, (whole, character: string) => {
    if (character === "n") return "\n";
    return character === "\\" || character === '"' ? character : whole;
  });
}
