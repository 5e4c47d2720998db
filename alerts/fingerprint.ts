const OFFSET = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;
const MASK = 0xffffffffffffffffn;
const SEPARATOR = 0xff;
const ENCODER = new TextEncoder();

/** FNV-1a of 64 bits over the labels in order of their names, as Prometheus and Alertmanager have it. */
export function fingerprintOf(labels: Readonly<Record<string, string>>): string {
  const names = Object.keys(labels).sort((a, b) => (a < b ? -1 : 1));
  return hex(hashOf(names.flatMap((name) => [name, labels[name] ?? ""])));
}

/** The same over any words: another word, or another order, is another hash. */
export function idOf(...words: readonly (string | number)[]): string {
  return hex(hashOf(words.map(String)));
}

function hashOf(words: readonly string[]): bigint {
  let hash = OFFSET;
  const add = (byte: number) => {
    hash = ((hash ^ BigInt(byte)) * PRIME) & MASK;
  };
  for (const word of words) {
    for (const byte of ENCODER.encode(word)) add(byte);
    add(SEPARATOR);
  }
  return hash;
}

function hex(hash: bigint): string {
  return hash.toString(16).padStart(16, "0");
}
