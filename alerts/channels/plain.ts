const CONTROLS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu;

/**
 * Text from outside (names, labels, reasons) in one line, without characters that end a line, hide, or turn the
 * direction of what follows, and not longer than so many characters.
 */
export function plain(text: string, most: number): string {
  return shortened(text.replace(CONTROLS, " ").replace(/ {2,}/gu, " ").trim(), most);
}

/** Cut between characters, never within one; what is left out is shown to be. */
export function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  let cut = text.slice(0, most - 1);
  // Half of a pair is no character.
  if (/[\ud800-\udbff]$/u.test(cut)) cut = cut.slice(0, -1);
  return `${cut}…`;
}
