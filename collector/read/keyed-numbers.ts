import { keyBytes, nextLine, SPACE, startsWith, unsignedAt } from "./kernel-text.ts";

const UNWANTED = -1;

/**
 * Some of the numbers of a file of `key number` lines, as `memory.stat`. Kernels differ in which keys they write and
 * in which order, but one kernel does it the same way each time: which line holds which key is learned from the first
 * file, then only checked, and learned anew when a check fails.
 */
export class KeyedNumbers {
  readonly #keys: readonly Uint8Array[];
  /** NaN where the file had none; it never leaves. */
  readonly #values: Float64Array;
  /** For each line, the position of its key. */
  #plan: number[] = [];

  constructor(keys: readonly string[]) {
    this.#keys = keys.map(keyBytes);
    this.#values = new Float64Array(keys.length).fill(Number.NaN);
  }

  parse(bytes: Uint8Array, length: number): void {
    if (this.#parsePlanned(bytes, length)) return;
    this.#learn(bytes, length);
    this.#parsePlanned(bytes, length);
  }

  /** Of the file that was parsed last, by the position of the key. */
  get(position: number): number | undefined {
    const value = this.#values[position];
    return value === undefined || Number.isNaN(value) ? undefined : value;
  }

  #parsePlanned(bytes: Uint8Array, length: number): boolean {
    this.#values.fill(Number.NaN);
    let lineNumber = 0;
    for (let line = 0; line < length; line = nextLine(bytes, line, length)) {
      const position = this.#plan[lineNumber];
      lineNumber += 1;
      if (position === undefined) return false;
      if (position === UNWANTED) continue;
      const key = this.#keys[position];
      if (key === undefined || !isKeyOf(bytes, line, length, key)) return false;
      const value = unsignedAt(bytes, line + key.length + 1, length);
      if (value !== undefined) this.#values[position] = value;
    }
    return lineNumber === this.#plan.length;
  }

  #learn(bytes: Uint8Array, length: number): void {
    this.#plan = [];
    for (let line = 0; line < length; line = nextLine(bytes, line, length)) {
      const found = this.#keys.findIndex((key) => isKeyOf(bytes, line, length, key));
      this.#plan.push(this.#plan.includes(found) ? UNWANTED : found);
    }
  }
}

function isKeyOf(bytes: Uint8Array, line: number, length: number, key: Uint8Array): boolean {
  return bytes[line + key.length] === SPACE && startsWith(bytes, line, length, key);
}
