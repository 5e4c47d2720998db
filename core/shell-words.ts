export interface ShellWords {
  readonly words: readonly string[];
  /** What was left out from the first `;`, `&`, `|`, `<` or `>` on; empty when nothing was. */
  readonly dropped: string;
}

/**
 * Splits a command written as one text, as docker compose does: quotes and backslashes as in a shell, no variables,
 * and no shell: the first operator ends the command, and `` `…` `` and `$(…)` stay as they are written. Undefined when
 * a quote, a bracket or a backslash is left open.
 */
export function splitCommand(command: string): ShellWords | undefined {
  const words: string[] = [];
  let word: string | undefined;
  /** What ends the quoted part that is open: `"`, `'`, `` ` `` or `)`. */
  let closing = "";
  for (let at = 0; at < command.length; at++) {
    const character = command.charAt(at);
    if (character === "\\" && closing !== "'") {
      at += 1;
      if (at === command.length) return undefined;
      word = (word ?? "") + command.charAt(at);
    } else if (closing !== "") {
      if (character !== closing || character === "`" || character === ")") word = (word ?? "") + character;
      if (character === closing) closing = "";
    } else if (character === '"' || character === "'") {
      closing = character;
      word ??= "";
    } else if (/\s/u.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (";&|<>".includes(character)) {
      const isDescriptor = character === ">" && /^\d/u.test(word ?? "");
      if (word !== undefined && !isDescriptor) words.push(word);
      return { words, dropped: command.slice(at) };
    } else if (character === ")") {
      return undefined;
    } else if (character === "(") {
      if (word?.endsWith("$") !== true) return undefined;
      closing = ")";
      word += character;
    } else {
      if (character === "`") closing = character;
      word = (word ?? "") + character;
    }
  }
  if (closing !== "") return undefined;
  if (word !== undefined) words.push(word);
  return { words, dropped: "" };
}
