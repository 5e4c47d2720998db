/**
 * Numbers out of the kernel's text files, straight from the bytes: no string is made for what is read every second.
 * Each answer is undefined where the bytes do not hold the number; nothing here throws or returns NaN.
 */

export const NEWLINE = 0x0a;
export const SPACE = 0x20;
const ZERO = 0x30;
const NINE = 0x39;

/** The unsigned decimal number that starts at `from` and ends at a space, a line's end or the end. */
export function unsignedAt(bytes: Uint8Array, from: number, length: number): number | undefined {
  let value = 0;
  let index = from;
  for (; index < length; index += 1) {
    const byte = bytes[index] ?? 0;
    if (byte < ZERO || byte > NINE) {
      if (byte !== NEWLINE && byte !== SPACE) return undefined;
      break;
    }
    value = value * 10 + (byte - ZERO);
  }
  return index === from || !Number.isFinite(value) ? undefined : value;
}

/** Where the line after the one that `from` is in begins; `length` when there is none. */
export function nextLine(bytes: Uint8Array, from: number, length: number): number {
  let index = from;
  while (index < length && bytes[index] !== NEWLINE) index += 1;
  return Math.min(index + 1, length);
}

/** The first byte from `from` on that is no space. */
export function skipSpaces(bytes: Uint8Array, from: number, length: number): number {
  let index = from;
  while (index < length && bytes[index] === SPACE) index += 1;
  return index;
}

/** The end of the word at `from`: a space, a line's end or the end. */
export function wordEnd(bytes: Uint8Array, from: number, length: number): number {
  let index = from;
  while (index < length && bytes[index] !== SPACE && bytes[index] !== NEWLINE) index += 1;
  return index;
}

export function keyBytes(key: string): Uint8Array {
  return Buffer.from(key, "latin1");
}

export function startsWith(bytes: Uint8Array, from: number, length: number, key: Uint8Array): boolean {
  if (from + key.length > length) return false;
  for (let index = 0; index < key.length; index += 1) {
    if (bytes[from + index] !== key[index]) return false;
  }
  return true;
}

/** The text is the same as the bytes, all of them below 128. */
export function spells(bytes: Uint8Array, from: number, to: number, text: string): boolean {
  if (to - from !== text.length) return false;
  for (let index = 0; index < text.length; index += 1) {
    if (bytes[from + index] !== text.charCodeAt(index)) return false;
  }
  return true;
}
