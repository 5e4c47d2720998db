/** One line of a page of metrics, in Prometheus' text or OpenMetrics. */
export interface SampleLine {
  /** Everything before the value, as it is written: tells the series from all others of its page. */
  readonly key: string;
  /** With the suffix that its type gives it, as `_total` or `_bucket`. */
  readonly name: string;
  readonly labels: readonly Label[];
  readonly value: number;
}

export interface Label {
  readonly name: string;
  readonly value: string;
}

const SAMPLE_NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/uy;
const LABEL_NAME = /[a-zA-Z_][a-zA-Z0-9_]*/uy;
/** A value, then perhaps a time and an exemplar, neither of which is kept. */
const VALUE = /^[ \t]+([^\s#]+)(?:[ \t]+[-+.\deE]+)?[ \t]*(?:#.*)?$/u;

/** Undefined for a comment, an empty line, and whatever is no sample. */
export function parseSampleLine(line: string): SampleLine | undefined {
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
  return value === undefined ? undefined : { key: line.slice(0, at), name, labels, value };
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
