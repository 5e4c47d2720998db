import type { FileBytes } from "./kept-file.ts";
import { keyBytes, nextLine, skipSpaces, spells, startsWith, unsignedAt, wordEnd } from "./kernel-text.ts";

/** One device's counters as a cgroup file names it: `254:0`. */
export interface DeviceNumbers {
  readonly device: string;
  readonly read: number;
  readonly write: number;
}

const READ = keyBytes("Read ");
const WRITE = keyBytes("Write ");

/**
 * From lines of `254:0 Read 1048576` (v1). Empty for `Total 0`: a kernel that has not begun to count says the same as
 * one that counted nothing.
 */
export function parseBlkio({ bytes, length }: FileBytes): readonly DeviceNumbers[] {
  const devices: { device: string; read: number; write: number }[] = [];
  for (let line = 0; line < length; line = nextLine(bytes, line, length)) {
    const deviceEnd = wordEnd(bytes, line, length);
    const kind = skipSpaces(bytes, deviceEnd, length);
    const isRead = startsWith(bytes, kind, length, READ);
    if (!isRead && !startsWith(bytes, kind, length, WRITE)) continue;
    const value = unsignedAt(bytes, kind + (isRead ? READ.length : WRITE.length), length);
    if (value === undefined) continue;
    let entry = devices.at(-1);
    if (entry === undefined || !spells(bytes, line, deviceEnd, entry.device)) {
      entry = { device: latin1(bytes, line, deviceEnd), read: 0, write: 0 };
      devices.push(entry);
    }
    if (isRead) entry.read = value;
    else entry.write = value;
  }
  return devices;
}

const IO_STAT_KEYS = ["rbytes=", "wbytes=", "rios=", "wios="].map(keyBytes);

/** One line of `io.stat`. */
export interface IoStat {
  readonly device: string;
  readonly readBytes: number | undefined;
  readonly writeBytes: number | undefined;
  readonly reads: number | undefined;
  readonly writes: number | undefined;
}

/** From lines of `254:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0` (v2); a device without them is left out. */
export function parseIoStat({ bytes, length }: FileBytes): readonly IoStat[] {
  const devices: IoStat[] = [];
  for (let line = 0; line < length; line = nextLine(bytes, line, length)) {
    const end = nextLine(bytes, line, length);
    const deviceEnd = wordEnd(bytes, line, end);
    const values: (number | undefined)[] = [];
    for (let word = skipSpaces(bytes, deviceEnd, end); word < end; ) {
      const position = IO_STAT_KEYS.findIndex((key) => startsWith(bytes, word, end, key));
      const key = IO_STAT_KEYS[position];
      if (key !== undefined) values[position] = unsignedAt(bytes, word + key.length, end);
      const next = skipSpaces(bytes, wordEnd(bytes, word, end), end);
      if (next === word) break;
      word = next;
    }
    if (values.every((value) => value === undefined)) continue;
    const [readBytes, writeBytes, reads, writes] = values;
    devices.push({ device: latin1(bytes, line, deviceEnd), readBytes, writeBytes, reads, writes });
  }
  return devices;
}

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString("latin1");
}
