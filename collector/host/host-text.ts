import type { FileBytes } from "../read/kept-file.ts";
import type { CpuTimes, DiskCounters } from "./host-measurement.ts";

/** The machine's own files, read once a second in all: as text, because that is no cost worth avoiding. */

const SECTOR_BYTES = 512;
const MS_PER_SECOND = 1_000;
const KIB = 1_024;

export function textOf({ bytes, length }: FileBytes): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, length).toString("latin1");
}

/** What `/proc/stat` says. */
export interface StatText {
  readonly cpus: readonly CpuTimes[];
  readonly bootedAtSeconds: number | undefined;
  readonly contextSwitches: number | undefined;
  readonly forks: number | undefined;
  readonly runningTasks: number | undefined;
  readonly blockedTasks: number | undefined;
}

export function parseStat(text: string, ticksPerSecond: number): StatText {
  const cpus: CpuTimes[] = [];
  const numbers = new Map<string, number>();
  for (const line of text.split("\n")) {
    // Hundreds of numbers, one for each interrupt.
    if (line.startsWith("intr ") || line.startsWith("softirq ")) continue;
    const [key = "", ...words] = line.split(/ +/u);
    if (/^cpu\d+$/u.test(key)) {
      const times = words.slice(0, 8).map((word) => countOf(word));
      const [user, nice, system, idle, iowait = 0, irq = 0, softirq = 0, steal = 0] = times.map((ticks) =>
        ticks === undefined ? undefined : ticks / ticksPerSecond,
      );
      if (user === undefined || nice === undefined || system === undefined || idle === undefined) continue;
      cpus.push({ cpu: key.slice(3), user, nice, system, idle, iowait, irq, softirq, steal });
      continue;
    }
    const value = countOf(words[0]);
    if (value !== undefined) numbers.set(key, value);
  }
  return {
    cpus,
    bootedAtSeconds: numbers.get("btime"),
    contextSwitches: numbers.get("ctxt"),
    forks: numbers.get("processes"),
    runningTasks: numbers.get("procs_running"),
    blockedTasks: numbers.get("procs_blocked"),
  };
}

/** `/proc/meminfo`, in bytes, by its own names. */
export function parseMeminfo(text: string): Map<string, number> {
  const memory = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [name, rest = ""] = line.split(":", 2);
    const [digits, unit] = rest.trim().split(/ +/u);
    const value = countOf(digits);
    if (name === undefined || value === undefined) continue;
    memory.set(name, unit === "kB" ? value * KIB : value);
  }
  return memory;
}

/** `key number` lines, as `/proc/vmstat` has them. */
export function parseKeyed(text: string): Map<string, number> {
  const numbers = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [key = "", digits] = line.split(" ", 2);
    const value = countOf(digits);
    if (key !== "" && value !== undefined) numbers.set(key, value);
  }
  return numbers;
}

/** `0.52 0.58 0.59 1/295 2209` */
export function parseLoads(text: string): readonly [number, number, number] | undefined {
  const match = /^(\d{1,9}\.\d+) (\d{1,9}\.\d+) (\d{1,9}\.\d+) /u.exec(text);
  return match === null ? undefined : [Number(match[1]), Number(match[2]), Number(match[3])];
}

/** `/proc/diskstats` without loop and memory devices, and without what was never used. */
export function parseDisks(text: string): DiskCounters[] {
  const disks: DiskCounters[] = [];
  for (const line of text.split("\n")) {
    const [, , device, ...words] = line.trim().split(/ +/u);
    const values = words.slice(0, 11).map(countOf);
    if (device === undefined || /^(?:loop|ram|zram|fd)\d+$/u.test(device)) continue;
    if (values.length < 11 || !values.every((value) => value !== undefined)) continue;
    const [
      readsCompleted = 0,
      readsMerged = 0,
      sectorsRead = 0,
      readMs = 0,
      writesCompleted = 0,
      writesMerged = 0,
      sectorsWritten = 0,
      writeMs = 0,
      inProgress = 0,
      busyMs = 0,
      weightedMs = 0,
    ] = values;
    disks.push({
      device,
      readsCompleted,
      readsMerged,
      readBytes: sectorsRead * SECTOR_BYTES,
      readSeconds: readMs / MS_PER_SECOND,
      writesCompleted,
      writesMerged,
      writtenBytes: sectorsWritten * SECTOR_BYTES,
      writeSeconds: writeMs / MS_PER_SECOND,
      inProgress,
      busySeconds: busyMs / MS_PER_SECOND,
      weightedSeconds: weightedMs / MS_PER_SECOND,
    });
  }
  return disks;
}

/** One line of a mountinfo, as far as a filesystem's use needs it. */
export interface Mount {
  /** `254:0` */
  readonly numbers: string;
  readonly mountPoint: string;
  readonly type: string;
  readonly device: string;
  readonly isReadOnly: boolean;
}

export function parseMounts(text: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split("\n")) {
    const [front = "", back = ""] = line.split(" - ", 2);
    const [, , numbers, , mountPoint, options = ""] = front.split(" ");
    const [type, device] = back.split(" ");
    if (numbers === undefined || mountPoint === undefined || type === undefined || device === undefined)
      continue;
    mounts.push({
      numbers,
      mountPoint: unescapeOctal(mountPoint),
      type,
      device: unescapeOctal(device),
      isReadOnly: options.split(",").includes("ro"),
    });
  }
  return mounts;
}

/** The kernel writes a space in a path as `\040`. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/gu, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

function countOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,20}$/u.test(text) ? Number(text) : undefined;
}
