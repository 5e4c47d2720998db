import type { FileBytes } from "./kept-file.ts";
import { keyBytes, nextLine, skipSpaces, startsWith, unsignedAt, wordEnd } from "./kernel-text.ts";

/** Counters of a pressure file. */
export interface PressureSeconds {
  /** Some of the tasks waited. */
  readonly waiting: number | undefined;
  /** All of them did, at once. */
  readonly stalled: number | undefined;
}

const SOME = keyBytes("some ");
const FULL = keyBytes("full ");
const TOTAL = keyBytes("total=");
const MICROSECONDS_PER_SECOND = 1e6;

/** From `some avg10=0.00 avg60=0.00 avg300=0.00 total=13097768`, and the same for `full`. */
export function parsePressure({ bytes, length }: FileBytes): PressureSeconds {
  let waiting: number | undefined;
  let stalled: number | undefined;
  for (let line = 0; line < length; line = nextLine(bytes, line, length)) {
    if (startsWith(bytes, line, length, SOME)) waiting = totalSeconds(bytes, line, length);
    else if (startsWith(bytes, line, length, FULL)) stalled = totalSeconds(bytes, line, length);
  }
  return { waiting, stalled };
}

function totalSeconds(bytes: Uint8Array, line: number, length: number): number | undefined {
  const end = nextLine(bytes, line, length);
  for (let word = line; word < end; word = skipSpaces(bytes, wordEnd(bytes, word, end), end)) {
    if (!startsWith(bytes, word, end, TOTAL)) {
      if (wordEnd(bytes, word, end) === word) return undefined;
      continue;
    }
    const microseconds = unsignedAt(bytes, word + TOTAL.length, end);
    return microseconds === undefined ? undefined : microseconds / MICROSECONDS_PER_SECOND;
  }
  return undefined;
}
