import { readFileSync } from "node:fs";

/** The units in which this machine's kernel counts. */
export interface MachineUnits {
  readonly pageBytes: number;
  readonly ticksPerSecond: number;
}

const AT_PAGESZ = 6n;
const AT_CLKTCK = 17n;
/** What nearly every Linux machine has. */
const COMMON_UNITS: MachineUnits = { pageBytes: 4096, ticksPerSecond: 100 };

/** From the auxiliary vector: pairs of native words, a key and a value. */
export function parseMachineUnits(auxv: Uint8Array): MachineUnits {
  const view = new DataView(auxv.buffer, auxv.byteOffset, auxv.byteLength);
  const values = new Map<bigint, number>();
  // On a big-endian machine no key is found, and the common units stand.
  for (let offset = 0; offset + 16 <= view.byteLength; offset += 16) {
    values.set(view.getBigUint64(offset, true), Number(view.getBigUint64(offset + 8, true)));
  }
  return {
    pageBytes: values.get(AT_PAGESZ) ?? COMMON_UNITS.pageBytes,
    ticksPerSecond: values.get(AT_CLKTCK) ?? COMMON_UNITS.ticksPerSecond,
  };
}

export function readMachineUnits(): MachineUnits {
  try {
    return parseMachineUnits(readFileSync("/proc/self/auxv"));
  } catch {
    return COMMON_UNITS;
  }
}
