export interface ShellWords {
  readonly words: readonly string[];
  /** What was left out from the first `;`, `&`, `|`, `<` or `>` on; empty when nothing was. */
  readonly dropped: string;
}

/**
 * Splits a command written as one text, as docker compose does: quotes and backslashes as in a shell, no variables,
 * and no shell: the first operator ends the command. Undefined when a quote or a backslash is left open.
 */
export function splitCommand(command: string): ShellWords | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let at = 0; at < command.length; at++) {
    const character = command.charAt(at);
    if (character === "\\" && quote !== "'") {
      at += 1;
      if (at === command.length) return undefined;
      word = (word ?? "") + command.charAt(at);
    } else if (quote !== "") {
      if (character === quote) quote = "";
      else word = (word ?? "") + character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= "";
    } else if (/\s/u.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (";&|<>".includes(character)) {
      const descriptor = character === ">" && /^\d/u.test(word ?? "");
      if (word !== undefined && !descriptor) words.push(word);
      return { words, dropped: command.slice(at) };
    } else if (character === "(" && word?.endsWith("$") !== true) {
      return undefined;
    } else {
      word = (word ?? "") + character;
    }
  }
  if (quote !== "") return undefined;
  if (word !== undefined) words.push(word);
  return { words, dropped: "" };
}
