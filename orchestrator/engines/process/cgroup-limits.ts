/** Limits as the kernel's files want them. */

export type CgroupVersion = 1 | 2;

/** On version 1 each has a hierarchy of its own; `cpuacct` is there for reading only. */
export const CONTROLLERS = ["cpu", "cpuacct", "memory", "pids"] as const;
export type Controller = (typeof CONTROLLERS)[number];

export interface Limits {
  readonly limitCores?: number;
  readonly limitMemoryBytes?: number;
  readonly limitPids?: number;
}

export interface LimitWrites {
  /** As a person is told when it does not work. */
  readonly name: "cpu limit" | "memory limit" | "pids limit";
  readonly controller: Controller;
  /** File name and text, in the order in which to write them. */
  readonly writes: readonly (readonly [file: string, text: string])[];
}

const PERIOD_US = 100_000;
/** The least the kernel takes. */
const MIN_QUOTA_US = 1_000;

export function limitWrites(version: CgroupVersion, limits: Limits): LimitWrites[] {
  const all: LimitWrites[] = [];
  if (limits.limitCores !== undefined) {
    const quota = String(Math.max(MIN_QUOTA_US, Math.round(limits.limitCores * PERIOD_US)));
    const period = String(PERIOD_US);
    all.push({
      name: "cpu limit",
      controller: "cpu",
      writes:
        version === 1
          ? [
              ["cpu.cfs_period_us", period],
              ["cpu.cfs_quota_us", quota],
            ]
          : [["cpu.max", `${quota} ${period}`]],
    });
  }
  if (limits.limitMemoryBytes !== undefined) {
    const file = version === 1 ? "memory.limit_in_bytes" : "memory.max";
    all.push({
      name: "memory limit",
      controller: "memory",
      writes: [[file, String(limits.limitMemoryBytes)]],
    });
  }
  if (limits.limitPids !== undefined) {
    all.push({ name: "pids limit", controller: "pids", writes: [["pids.max", String(limits.limitPids)]] });
  }
  return all;
}

/** Where the kernel counts the kills for want of memory, and the text of that file read. */
export const OOM_FILE = { 1: "memory.oom_control", 2: "memory.events" } as const;

export function parseOomKills(text: string): number | undefined {
  const count = /^oom_kill (\d+)$/mu.exec(text)?.[1];
  return count === undefined ? undefined : Number(count);
}
