const IN_LABEL = /[\\\n"]/gu;
const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", '"': '\\"' };

/** A label's value as it stands between quotes. */
export function escapeLabelValue(value: string): string {
  return value.replace(IN_LABEL, (character) => ESCAPES[character] ?? character);
}
