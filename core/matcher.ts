/**
 * Label matchers as Alertmanager writes them: `service="shop_web"`, `severity!=info`, `project=~"shop|blog.*"`.
 * A pattern of `=~` is matched whole and knows `.`, `.*`, `.+`, `|` and `\`: what takes linear time, whoever wrote it.
 */
export interface Matcher {
  readonly name: string;
  readonly value: string;
  readonly isEqual: boolean;
  readonly isRegex: boolean;
}

const MATCHER = /^\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*(.*?)\s*$/su;
const MOST_CHARACTERS = 500;

/** @returns the matcher, or what is wrong with the text */
export function parseMatcher(text: string): Matcher | string {
  const [, name = "", operator = "", written = ""] = MATCHER.exec(text) ?? [];
  if (name === "") return `expected a matcher, as service="shop_web" or severity!=info`;
  const value = /^".*"$/su.test(written) ? written.slice(1, -1).replace(/\\(["\\])/gu, "$1") : written;
  const matcher = {
    name,
    value,
    isEqual: operator.startsWith("="),
    isRegex: operator.endsWith("~"),
  };
  return problemOf(matcher) ?? matcher;
}

/** What is wrong with the value; undefined when it can be used. */
export function problemOf({ value, isRegex }: Pick<Matcher, "value" | "isRegex">): string | undefined {
  if (value.length > MOST_CHARACTERS) return `expected a value of at most ${MOST_CHARACTERS} characters`;
  if (!isRegex || tokensOf(value) !== undefined) return undefined;
  return 'expected a pattern of text, ".", ".*", ".+" and "|", as "shop_.*|blog_web"';
}

export function formatMatcher({ name, value, isEqual, isRegex }: Matcher): string {
  const operator = isEqual ? (isRegex ? "=~" : "=") : isRegex ? "!~" : "!=";
  return `${name}${operator}"${value.replace(/["\\]/gu, "\\$&")}"`;
}

/** All of them hold. A label that is not there is empty. */
export function matchesAll(matchers: readonly Matcher[], labels: Readonly<Record<string, string>>): boolean {
  return matchers.every((matcher) => {
    const value = Object.hasOwn(labels, matcher.name) ? (labels[matcher.name] ?? "") : "";
    const isMatch = matcher.isRegex ? matchesPattern(matcher.value, value) : matcher.value === value;
    return isMatch === matcher.isEqual;
  });
}

/** A character; any one character; or any number of them. */
type Token = { readonly character: string } | "one" | "many";

function matchesPattern(pattern: string, text: string): boolean {
  return (tokensOf(pattern) ?? []).some((tokens) => matchesTokens(tokens, [...text]));
}

/** The alternatives; undefined for what the language does not know. */
function tokensOf(pattern: string): Token[][] | undefined {
  const alternatives: Token[][] = [];
  let tokens: Token[] = [];
  const characters = [...pattern];
  for (let index = 0; index < characters.length; index += 1) {
    const character = characters[index] ?? "";
    if (character === "|") {
      alternatives.push(tokens);
      tokens = [];
    } else if (character === "\\") {
      index += 1;
      const escaped = characters[index];
      // A letter after a backslash is a class of characters elsewhere.
      if (escaped === undefined || /[a-zA-Z0-9]/u.test(escaped)) return undefined;
      tokens.push({ character: escaped });
    } else if (character === ".") {
      const next = characters[index + 1];
      if (next === "+") tokens.push("one");
      tokens.push(next === "*" || next === "+" ? "many" : "one");
      if (next === "*" || next === "+") index += 1;
    } else if (/[*+?()[\]{}^$]/u.test(character)) return undefined;
    else tokens.push({ character });
  }
  return [...alternatives, tokens];
}

/** Goes back to the last "many" alone, which is enough, and takes time by the product of the lengths at most. */
function matchesTokens(tokens: readonly Token[], text: readonly string[]): boolean {
  let [token, at] = [0, 0];
  let retry: { token: number; at: number } | undefined;
  while (at < text.length || token < tokens.length) {
    const wanted = tokens[token];
    if (wanted === "many") {
      retry = { token, at: at + 1 };
      token += 1;
    } else if (
      at < text.length &&
      wanted !== undefined &&
      (wanted === "one" || wanted.character === text[at])
    ) {
      token += 1;
      at += 1;
    } else if (retry !== undefined && retry.at <= text.length) {
      token = retry.token + 1;
      at = retry.at;
      retry = { token: retry.token, at: at + 1 };
    } else return false;
  }
  return true;
}
