/**
 * The text in which applications expose their metrics, Prometheus' and OpenMetrics', read into families. What cannot be
 * understood is left out and counted: one bad line never costs the others.
 */

export const METRIC_TYPES = [
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

export interface Series {
  /** With the suffix that its type gives it, as `_total` or `_bucket`. */
  readonly name: string;
  readonly labels: readonly Label[];
  readonly value: number;
}

export interface Label {
  readonly name: string;
  readonly value: string;
}

export interface Family {
  /** As OpenMetrics names it: a counter's without `_total`. */
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  readonly series: readonly Series[];
}

export interface MetricsText {
  readonly families: readonly Family[];
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
const SAMPLE_NAME = new RegExp(NAME, "uy");
const LABEL_NAME = /[a-zA-Z_][a-zA-Z0-9_]*/uy;
/** A value, then perhaps a time and an exemplar, neither of which is kept. */
const VALUE = /^[ \t]+([^\s#]+)(?:[ \t]+[-+.\deE]+)?[ \t]*(?:#.*)?$/u;

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
    const series = parseSample(line);
    if (series === undefined) {
      badLines += 1;
      continue;
    }
    const family = familyOf(families, series.name);
    if (family === undefined) continue;
    const key = `${series.name} ${JSON.stringify(series.labels)}`;
    if (seen.has(key)) badLines += 1;
    else if (seriesCount >= maxSeries) droppedSeries += 1;
    else {
      seen.add(key);
      seriesCount += 1;
      family.series.push(series);
    }
  }
  return {
    families: [...families.values()].filter(({ series }) => series.length > 0),
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

function parseSample(line: string): Series | undefined {
  SAMPLE_NAME.lastIndex = 0;
  const name = SAMPLE_NAME.exec(line)?.[0];
  if (name === undefined) return undefined;
  let at = name.length;
  const labels: Label[] = [];
  if (line[at] === "{") {
    const end = parseLabels(line, at + 1, labels);
    if (end === undefined) return undefined;
    at = end;
  }
  const value = numberOf(VALUE.exec(line.slice(at))?.[1] ?? "");
  return value === undefined ? undefined : { name, labels, value };
}

/** Where the text goes on after the closing brace; undefined when it is malformed or names a label twice. */
function parseLabels(line: string, start: number, labels: Label[]): number | undefined {
  let at = skipBlanks(line, start);
  while (line[at] !== "}") {
    LABEL_NAME.lastIndex = at;
    const name = LABEL_NAME.exec(line)?.[0];
    if (name === undefined || labels.some((label) => label.name === name)) return undefined;
    at = skipBlanks(line, at + name.length);
    if (line[at] !== "=") return undefined;
    at = skipBlanks(line, at + 1);
    if (line[at] !== '"') return undefined;
    const quoted = parseQuoted(line, at + 1);
    if (quoted === undefined) return undefined;
    labels.push({ name, value: quoted.value });
    at = skipBlanks(line, quoted.end);
    if (line[at] === ",") at = skipBlanks(line, at + 1);
    else if (line[at] !== "}") return undefined;
  }
  return at + 1;
}

function parseQuoted(line: string, start: number): { value: string; end: number } | undefined {
  let value = "";
  let from = start;
  for (let at = start; at < line.length; at += 1) {
    if (line[at] === '"') return { value: value + line.slice(from, at), end: at + 1 };
    if (line[at] !== "\\") continue;
    const escaped = line[at + 1];
    value += line.slice(from, at) + (escaped === "n" ? "\n" : (escaped ?? ""));
    at += 1;
    from = at + 1;
  }
  return undefined;
}

function skipBlanks(line: string, start: number): number {
  let at = start;
  while (line[at] === " " || line[at] === "\t") at += 1;
  return at;
}

const SPECIAL_NUMBERS: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  "+nan": Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  "+inf": Number.POSITIVE_INFINITY,
  "-inf": Number.NEGATIVE_INFINITY,
};

function numberOf(text: string): number | undefined {
  if (/^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/u.test(text)) return Number(text);
  const word = text.toLowerCase();
  return Object.hasOwn(SPECIAL_NUMBERS, word) ? SPECIAL_NUMBERS[word] : undefined;
}

function unescapeHelp(text: string): string {
  return text.replace(/\\(.)/gu, (whole, character: string) => {
    if (character === "n") return "\n";
    return character === "\\" || character === '"' ? character : whole;
  });
}
