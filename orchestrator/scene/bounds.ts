/** The last lines of a text, as many as fit in so many bytes; a single longer line is cut at its beginning. */
export function lastOf(text: string, lines: number, bytes: number): string {
  const kept = text.replace(/\n$/u, "").split("\n").slice(-lines).join("\n");
  const raw = Buffer.from(kept);
  if (raw.length <= bytes) return kept;
  let start = raw.length - bytes;
  // Not into the middle of a character.
  while (start < raw.length && ((raw[start] ?? 0) & 0xc0) === 0x80) start += 1;
  const cut = raw.subarray(start).toString("utf8");
  const newline = cut.indexOf("\n");
  return newline === -1 ? cut : cut.slice(newline + 1);
}

export interface Bounded {
  readonly value: unknown;
  /** Fields that were left out, the largest first. */
  readonly dropped: readonly string[];
}

/** A value that takes so many bytes as JSON at most: its largest fields are left out until it does. */
export function withinBytes(value: unknown, bytes: number): Bounded {
  if (sizeOf(value) <= bytes) return { value, dropped: [] };
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return { value: null, dropped: ["all"] };
  const bySize = Object.entries(value).toSorted(([, a], [, b]) => sizeOf(b) - sizeOf(a));
  const dropped: string[] = [];
  for (const [name] of bySize) {
    dropped.push(name);
    const rest = Object.fromEntries(Object.entries(value).filter(([key]) => !dropped.includes(key)));
    if (sizeOf(rest) <= bytes) return { value: rest, dropped };
  }
  return { value: {}, dropped };
}

function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? "");
}
