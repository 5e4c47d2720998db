import type { CgroupDirectories } from "./cgroup-paths.ts";
import type { FileBytes } from "./kept-file.ts";
import { pickOnce, wholeNumber } from "./kept-numbers.ts";
import { keyBytes, skipSpaces, startsWith, unsignedAt, wordEnd } from "./kernel-text.ts";
import type { Details } from "./measurement.ts";

/** v1 writes "no limit" as the largest multiple of a page that fits in 63 bits. */
const UNLIMITED_FROM = 2 ** 62;
const MAX = keyBytes("max");
const NO_QUOTA = keyBytes("-1");

type Limits = Pick<
  Details,
  | "memoryLimitBytes"
  | "memoryReservationBytes"
  | "memorySwapLimitBytes"
  | "cpuQuotaMicroseconds"
  | "cpuPeriodMicroseconds"
  | "cpuShares"
  | "threadsMax"
>;

/** The limits of a cgroup, from v1 where the controller is there, else from v2. */
export function readLimits(directories: CgroupDirectories): Limits {
  const { cpu, memory, pids, unified } = directories;
  return withoutUndefined({
    ...(unified !== undefined && memory === undefined && memoryOfV2(unified)),
    ...(memory !== undefined && memoryOfV1(memory)),
    ...(unified !== undefined && cpu === undefined && cpuOfV2(unified)),
    ...(cpu !== undefined && cpuOfV1(cpu)),
    threadsMax: pickOnce(pids ?? unified, "pids.max", limit),
  });
}

function memoryOfV1(directory: string) {
  return {
    memoryLimitBytes: pickOnce(directory, "memory.limit_in_bytes", limit),
    memoryReservationBytes: pickOnce(directory, "memory.soft_limit_in_bytes", limit),
    memorySwapLimitBytes: pickOnce(directory, "memory.memsw.limit_in_bytes", limit),
  };
}

function memoryOfV2(directory: string) {
  const memoryLimitBytes = pickOnce(directory, "memory.max", limit);
  const swapBytes = pickOnce(directory, "memory.swap.max", limit);
  return {
    memoryLimitBytes,
    memoryReservationBytes: pickOnce(directory, "memory.low", wholeNumber),
    // v2 limits swap by itself, v1 and the engine both together.
    memorySwapLimitBytes:
      memoryLimitBytes === undefined || swapBytes === undefined ? undefined : memoryLimitBytes + swapBytes,
  };
}

function cpuOfV1(directory: string) {
  return {
    cpuQuotaMicroseconds: pickOnce(directory, "cpu.cfs_quota_us", limit),
    cpuPeriodMicroseconds: pickOnce(directory, "cpu.cfs_period_us", wholeNumber),
    cpuShares: pickOnce(directory, "cpu.shares", wholeNumber),
  };
}

function cpuOfV2(directory: string) {
  const weight = pickOnce(directory, "cpu.weight", wholeNumber);
  return {
    cpuQuotaMicroseconds: pickOnce(directory, "cpu.max", limit),
    cpuPeriodMicroseconds: pickOnce(directory, "cpu.max", secondNumber),
    cpuShares: weight === undefined || weight < 1 ? undefined : sharesOfWeight(weight),
  };
}

/** As runtimes turned the shares into the weight: 2..262144 onto 1..10000. */
function sharesOfWeight(weight: number): number {
  return Math.round(2 + ((weight - 1) * 262_142) / 9_999);
}

/** Infinity where the kernel says that there is no limit. */
function limit({ bytes, length }: FileBytes): number | undefined {
  if (startsWith(bytes, 0, length, MAX) || startsWith(bytes, 0, length, NO_QUOTA)) return Infinity;
  const value = unsignedAt(bytes, 0, length);
  return value !== undefined && value >= UNLIMITED_FROM ? Infinity : value;
}

function secondNumber({ bytes, length }: FileBytes): number | undefined {
  return unsignedAt(bytes, skipSpaces(bytes, wordEnd(bytes, 0, length), length), length);
}

function withoutUndefined(values: { readonly [Key in keyof Limits]: Limits[Key] | undefined }): Limits {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
