import { interpolate, type Lookup } from "./interpolate.ts";

export interface DotenvResult {
  readonly variables: Readonly<Record<string, string>>;
  readonly missing: readonly string[];
  readonly problems: readonly { readonly line: number; readonly message: string }[];
}

const SPACE = /[\t\v\f\r \u0085\u00A0]/u;
const KEY_CHARACTER = /[\p{L}\p{N}_.[\]-]/u;
const ESCAPE = /\\(?:([abcfnrtv$"\\])|0(\d{0,3}))/gu;
const ESCAPED: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  $: "$$",
  '"': '"',
  "\\": "\\",
};

/**
 * Reads the `.env` grammar of docker compose: comments, `export`, single and double quotes over several lines,
 * escapes in double quotes, interpolation outside single quotes, and a bare name that inherits its value.
 * `lookup` is asked before the variables of the same file.
 */
export function parseDotenv(source: string, lookup: Lookup): DotenvResult {
  const text = source.replace(/^\uFEFF/u, "").replaceAll("\r\n", "\n");
  const variables: Record<string, string> = {};
  const missing: string[] = [];
  const problems: { line: number; message: string }[] = [];
  let at = 0;

  const find: Lookup = (name) =>
    lookup(name) ?? (Object.hasOwn(variables, name) ? variables[name] : undefined);
  const lineOf = (index: number) => text.slice(0, index).split("\n").length;
  const endOfLine = (from: number) => {
    const end = text.indexOf("\n", from);
    return end === -1 ? text.length : end;
  };
  const expand = (value: string, start: number) => {
    const result = interpolate(value, find);
    missing.push(...result.missing);
    for (const message of result.problems) problems.push({ line: lineOf(start), message });
    return result.text;
  };

  while (at < text.length) {
    if (/\s/u.test(text[at] ?? "")) {
      at += 1;
      continue;
    }
    const lineEnd = endOfLine(at);
    if (text[at] === "#") {
      at = lineEnd;
      continue;
    }
    const start = at;
    const exported = /^export[\t ]+/u.exec(text.slice(at, lineEnd));
    if (exported !== null) at += exported[0].length;
    const keyStart = at;
    while (at < lineEnd && text[at] !== "=" && text[at] !== ":") at += 1;
    const key = text.slice(keyStart, at).trim();
    const stranger = [...key].find((character) => !KEY_CHARACTER.test(character));
    if (stranger !== undefined || key === "") {
      const found = stranger === undefined ? "none" : JSON.stringify(key);
      problems.push({ line: lineOf(start), message: `expected a variable's name before "=", got ${found}` });
      at = lineEnd;
      continue;
    }
    if (at === lineEnd) {
      const inherited = lookup(key);
      if (inherited !== undefined) variables[key] = inherited;
      continue;
    }
    at += 1;
    while (at < lineEnd && SPACE.test(text[at] ?? "")) at += 1;
    const quote = text[at];
    if (quote !== '"' && quote !== "'") {
      const raw = text.slice(at, lineEnd).split(" #", 1)[0] ?? "";
      variables[key] = expand(raw.trimEnd(), start);
      at = lineEnd;
      continue;
    }
    const quoted = readQuoted(text, at, quote);
    if (quoted === undefined) {
      problems.push({
        line: lineOf(start),
        message: `expected a closing ${quote} for the value of ${key}, got none`,
      });
      break;
    }
    variables[key] = quote === "'" ? quoted.value : expand(expandEscapes(quoted.value), start);
    at = quoted.end;
  }
  return { variables, missing, problems };
}

function readQuoted(text: string, open: number, quote: string): { value: string; end: number } | undefined {
  let value = "";
  for (let at = open + 1; at < text.length; at++) {
    const character = text[at];
    if (character === quote) return { value, end: at + 1 };
    if (character === "\\") {
      at += 1;
      value += text[at] === quote ? quote : `\\${text[at] ?? ""}`;
    } else {
      value += character;
    }
  }
  return undefined;
}

function expandEscapes(value: string): string {
  return value.replace(ESCAPE, (whole, letter: string | undefined, octal: string | undefined) => {
    if (letter !== undefined) return ESCAPED[letter] ?? whole;
    return octal?.length === 3 ? String.fromCharCode(Number.parseInt(octal, 8)) : whole;
  });
}
