import { keyBytes, nextLine, SPACE, startsWith, unsignedAt, wordEnd } from "./kernel-text.ts";

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
  /** For each line its key, and the position of it where it is wanted. */
  #plan: { readonly key: Uint8Array; readonly position: number }[] = [];

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

  /** False when a line has another key than the plan says; what was found until then is not to be used. */
  #parsePlanned(bytes: Uint8Array, length: number): boolean {
    this.#values.fill(Number.NaN);
    let line = 0;
    for (let index = 0; index < this.#plan.length; index += 1) {
      const planned = this.#plan[index];
      if (planned === undefined || line >= length) return false;
      const keyEnd = line + planned.key.length;
      if (!startsWith(bytes, line, length, planned.key) || wordEnd(bytes, keyEnd, length) !== keyEnd)
        return false;
      if (planned.position !== UNWANTED && bytes[keyEnd] === SPACE) {
        const value = unsignedAt(bytes, keyEnd + 1, length);
        if (value !== undefined) this.#values[planned.position] = value;
      }
      line = nextLine(bytes, keyEnd, length);
    }
    return line >= length;
  }

  #learn(bytes: Uint8Array, length: number): void {
    this.#plan = [];
    for (let line = 0; line < length; line = nextLine(bytes, line, length)) {
      const key = bytes.slice(line, wordEnd(bytes, line, length));
      const found = this.#keys.findIndex(
        (wanted) => wanted.length === key.length && startsWith(key, 0, key.length, wanted),
      );
      const isTaken = this.#plan.some(({ position }) => position === found);
      this.#plan.push({ key, position: isTaken ? UNWANTED : found });
    }
  }
}
