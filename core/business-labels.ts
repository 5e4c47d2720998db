import type { LabelReader } from "./label-reader.ts";

export const BUSINESS_PREFIX = "business.";
/** Prometheus label names; a leading `__` is Prometheus' own. */
const BUSINESS_NAME = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/;

/** `business.<name>` labels by their names, which are the user's own. */
export function readBusinessLabels(
  labels: Readonly<Record<string, string>>,
  reader: LabelReader,
): Readonly<Record<string, string>> {
  const business: Record<string, string> = {};
  for (const [key, value] of Object.entries(labels)) {
    if (!key.startsWith(BUSINESS_PREFIX)) continue;
    const name = key.slice(BUSINESS_PREFIX.length);
    if (BUSINESS_NAME.test(name)) business[name] = value;
    else {
      reader.error(
        key,
        "expected a Prometheus label name after business. (letters, digits and _, not starting with a digit or __)",
      );
    }
  }
  return business;
}
