/** Stands where a secret stood. */
export const MASK = "***";

const SECRET_NAME = /passw|passphrase|secret|token|key|credential|private|auth(?!or)/iu;
/** `NAME=value` of an environment, and `--name=value` of a command line. */
const ASSIGNMENT = /^(-{0,2}[\w.-]+)=(.+)$/su;
/** The password in `scheme://user:password@host`. */
const URL_PASSWORD = /(:\/\/[^\s:/@]*:)[^\s/@]+(@)/gu;
/** Shorter ones are words like `on`, which stand everywhere. */
const SHORTEST_SECRET = 6;

/**
 * The value with every secret in it masked: what stands under a name like PASSWORD, SECRET, TOKEN or KEY, the passwords
 * of URLs, and each of those again wherever else it stands.
 */
export function maskSecrets<T>(value: T): T {
  return maskTexts(value, secretsIn(value)) as T;
}

/** Those that are named as secrets somewhere in the value, the longest first. */
export function secretsIn(value: unknown): string[] {
  const found = new Set<string>();
  collect(value, found);
  return [...found].toSorted((a, b) => b.length - a.length);
}

/** A text without these secrets and without the passwords of URLs. */
export function maskText(text: string, secrets: readonly string[]): string {
  let masked = text;
  for (const secret of secrets) masked = masked.replaceAll(secret, MASK);
  return masked.replaceAll(URL_PASSWORD, `$1${MASK}$2`);
}

function collect(value: unknown, found: Set<string>, name = ""): void {
  if (typeof value === "string") {
    const [, assigned = "", text = ""] = ASSIGNMENT.exec(value) ?? [];
    if (SECRET_NAME.test(assigned) && text.length >= SHORTEST_SECRET) found.add(text);
    if (SECRET_NAME.test(name) && value.length >= SHORTEST_SECRET) found.add(value);
  } else if (Array.isArray(value)) {
    for (const entry of value) collect(entry, found);
  } else if (typeof value === "object" && value !== null) {
    for (const [key, entry] of Object.entries(value)) collect(entry, found, key);
  }
}

function maskTexts(value: unknown, secrets: readonly string[], name = ""): unknown {
  if (typeof value === "string") {
    if (SECRET_NAME.test(name) && value !== "") return MASK;
    const [, assigned = ""] = ASSIGNMENT.exec(value) ?? [];
    return SECRET_NAME.test(assigned) ? `${assigned}=${MASK}` : maskText(value, secrets);
  }
  if (Array.isArray(value)) return value.map((entry) => maskTexts(entry, secrets));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [key, maskTexts(entry, secrets, key)]),
  );
}
