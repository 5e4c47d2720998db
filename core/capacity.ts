import type { Resources } from "./types.ts";

/** What 100 % of CPU means: the limit, else the reservation, else one core. */
export function cpuCapacityCores(resources: Resources): number {
  return resources.limitCores ?? resources.reservedCores ?? 1;
}

/** What 100 % of memory means: the limit, else the reservation; there is no third thing to measure against. */
export function memoryCapacityBytes(resources: Resources): number | undefined {
  return resources.limitMemoryBytes ?? resources.reservedMemoryBytes;
}
