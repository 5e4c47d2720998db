import type { FileBytes } from "./kept-file.ts";
import { nextLine, skipSpaces, spells, unsignedAt, wordEnd } from "./kernel-text.ts";
import type { InterfaceCounters } from "./measurement.ts";

const HEADER_LINES = 2;
const COLON = 0x3a;
/** Reception has eight columns, then come those of transmission. */
const COLUMNS = 12;
const LOOPBACK = "lo";

const columns = new Float64Array(COLUMNS);

/**
 * The interfaces of a `/proc/PID/net/dev` without the loopback; one whose line makes no sense is left out. Names are
 * taken from `before` where they are the same, so that no string is made.
 */
export function parseNetDev(
  { bytes, length }: FileBytes,
  before: readonly InterfaceCounters[],
): readonly InterfaceCounters[] {
  let line = 0;
  for (let header = 0; header < HEADER_LINES; header += 1) line = nextLine(bytes, line, length);
  const interfaces: InterfaceCounters[] = [];
  for (; line < length; line = nextLine(bytes, line, length)) {
    const nameStart = skipSpaces(bytes, line, length);

    const nameEnd = bytes.indexOf(COLON, nameStart);
    if (nameEnd === -1) break;
    if (spells(bytes, nameStart, nameEnd, LOOPBACK) || !readColumns(bytes, nameEnd + 1, length)) continue;
    const known = before[interfaces.length]?.name;
    const name =
      known !== undefined && spells(bytes, nameStart, nameEnd, known)
        ? known
        : Buffer.from(bytes.subarray(nameStart, nameEnd)).toString("utf8");
    interfaces.push({
      name,
      receiveBytes: columns[0] ?? 0,
      receivePackets: columns[1] ?? 0,
      receiveErrors: columns[2] ?? 0,
      receiveDropped: columns[3] ?? 0,
      transmitBytes: columns[8] ?? 0,
      transmitPackets: columns[9] ?? 0,
      transmitErrors: columns[10] ?? 0,
      transmitDropped: columns[11] ?? 0,
    });
  }
  return interfaces;
}

function readColumns(bytes: Uint8Array, from: number, length: number): boolean {
  let at = from;
  for (let column = 0; column < COLUMNS; column += 1) {
    at = skipSpaces(bytes, at, length);
    const value = unsignedAt(bytes, at, length);
    if (value === undefined) return false;
    columns[column] = value;
    at = wordEnd(bytes, at, length);
  }
  return true;
}
