import type { Label } from "./metrics-text.ts";

const BACKSLASH_NEWLINE_QUOTE = /[\\\n"]/gu;
const ESCAPED: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", '"': '\\"' };

/** What the collector says of a replica stands; the application's own label of that name becomes `exported_…`. */
export function relabelled(own: readonly Label[], given: readonly Label[]): Label[] {
  const taken = new Set(own.map(({ name }) => name));
  const result = [...own];
  for (const { name, value } of given) {
    let free = name;
    while (taken.has(free)) free = `exported_${free}`;
    taken.add(free);
    // An empty value is the same as no label.
    if (value !== "") result.push({ name: free, value });
  }
  return result;
}

/** As it stands between a series' name and its value. */
export function labelText(labels: readonly Label[]): string {
  if (labels.length === 0) return "";
  const pairs = labels.map(
    ({ name, value }) =>
      `${name}="${value.replace(BACKSLASH_NEWLINE_QUOTE, (character) => ESCAPED[character] ?? character)}"`,
  );
  return `{${pairs.join(",")}}`;
}

export function valueText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value);
}
