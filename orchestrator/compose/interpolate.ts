/** What interpolating one text came to. */
export interface Interpolated {
  readonly text: string;
  /** Variables without a value and without a default; each became an empty text. */
  readonly missing: readonly string[];
  /** Why the text cannot be used, in the order found. */
  readonly problems: readonly string[];
}

/** The value of a variable, or undefined when it is not set. */
export type Lookup = (name: string) => string | undefined;

/** So that texts which refer to each other cannot grow without end. */
const MAX_LENGTH = 1024 * 1024;
const MAX_DEPTH = 50;

const NAME = /[_a-z][_a-z0-9]*/iuy;
const OPERATOR = /:?[-+?]/uy;

/**
 * Replaces `$V`, `${V}`, `${V:-default}`, `${V-default}`, `${V:?message}`, `${V?message}`, `${V:+other}`,
 * `${V+other}`, which may be nested, and `$$`, which is one dollar sign. A dollar sign before anything else stays.
 */
export function interpolate(text: string, lookup: Lookup): Interpolated {
  const missing: string[] = [];
  const problems: string[] = [];

  let depth = 0;

  function expand(template: string): string {
    if (depth > MAX_DEPTH)
      return excess(`expected at most ${MAX_DEPTH} variables inside one another, got more`);
    depth += 1;
    const result = replaceAll(template);
    depth -= 1;
    if (result.length <= MAX_LENGTH) return result;
    return excess(`expected a text of at most ${MAX_LENGTH} characters, got ${result.length}`);
  }

  function excess(problem: string): string {
    if (!problems.includes(problem)) problems.push(problem);
    return "";
  }

  function replaceAll(template: string): string {
    let result = "";
    let at = 0;
    while (at < template.length) {
      const dollar = template.indexOf("$", at);
      if (dollar === -1) return result + template.slice(at);
      result += template.slice(at, dollar);
      const next = template[dollar + 1];
      if (next === "$") {
        result += "$";
        at = dollar + 2;
      } else if (next === "{") {
        const end = closingBrace(template, dollar + 1);
        result += braced(template.slice(dollar + 2, end === -1 ? undefined : end), end !== -1);
        at = end === -1 ? template.length : end + 1;
      } else {
        const name = matchAt(NAME, template, dollar + 1);
        result += name === undefined ? "$" : plain(name);
        at = dollar + 1 + (name?.length ?? 0);
      }
    }
    return result;
  }

  function plain(name: string): string {
    const value = lookup(name);
    if (value === undefined) missing.push(name);
    return value ?? "";
  }

  function braced(content: string, closed: boolean): string {
    const name = matchAt(NAME, content, 0);
    if (!closed || name === undefined) return invalid(content, closed);
    if (content.length === name.length) return plain(name);
    const operator = matchAt(OPERATOR, content, name.length);
    if (operator === undefined) return invalid(content, closed);
    const word = content.slice(name.length + operator.length);
    const value = lookup(name);
    const present = value !== undefined && (operator.length === 1 || value !== "");
    if (operator.endsWith("+")) return present ? expand(word) : "";
    if (present) return value;
    if (operator.endsWith("-")) return expand(word);
    const message = expand(word);
    problems.push(`the required variable ${name} is missing a value${message === "" ? "" : `: ${message}`}`);
    return "";
  }

  function invalid(content: string, closed: boolean): string {
    const found = `\${${content}${closed ? "}" : ""}`;
    problems.push(
      `expected \${NAME} or \${NAME:-default}, got ${found}; a literal dollar sign is written $$`,
    );
    return "";
  }

  return { text: expand(text), missing, problems };
}

function closingBrace(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === "{") depth += 1;
    if (text[at] === "}") depth -= 1;
    if (depth === 0) return at;
  }
  return -1;
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}
