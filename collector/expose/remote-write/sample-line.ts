/** One line of a metrics page. */
export interface SampleLine {
  /** Everything but the value: what tells this series from all others of the page. */
  readonly series: string;
  readonly name: string;
  readonly labels: readonly (readonly [name: string, value: string])[];
  readonly value: number;
}

const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const LABEL = /\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\\n]|\\.)*)"\s*(,?)/y;
const VALUE = /\s*([^\s]+)/y;
const ESCAPED = /\\(.)/g;

/** Undefined for a comment, an empty line, and anything else that is no sample. Timestamps are not looked at. */
export function parseSampleLine(line: string): SampleLine | undefined {
  const name = matchAt(NAME, line, 0)?.[0];
  if (name === undefined) return undefined;
  const labels: [string, string][] = [];
  let end = name.length;
  if (line[end] === "{") {
    end += 1;
    for (let more = true; more; ) {
      const label = matchAt(LABEL, line, end);
      if (label === undefined) break;
      labels.push([label[1] ?? "", unescaped(label[2] ?? "")]);
      end += label[0].length;
      more = label[3] === ",";
    }
    if (line[end] !== "}") return undefined;
    end += 1;
  }
  const value = numberOf(matchAt(VALUE, line, end)?.[1]);
  return value === undefined ? undefined : { series: line.slice(0, end), name, labels, value };
}

function matchAt(pattern: RegExp, line: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(line) ?? undefined;
}

function unescaped(value: string): string {
  return value.includes("\\")
    ? value.replace(ESCAPED, (_, letter) => (letter === "n" ? "\n" : letter))
    : value;
}

function numberOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (text === "NaN") return Number.NaN;
  const word = /^([+-]?)inf$/i.exec(text);
  if (word !== null) return word[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const value = Number(text);
  return Number.isNaN(value) ? undefined : value;
}
