/** Reading Linux's /proc: who is alive, and is it still the one we mean. */
import { readdirSync, readFileSync } from "node:fs";

export interface ProcessStat {
  readonly pid: number;
  /** One letter; `Z` and `X` have ended and only wait for their parent. */
  readonly state: string;
  readonly group: number;
  readonly session: number;
  /** Clock ticks from boot to its start. */
  readonly startTicks: number;
}

/** A process that cannot be mistaken: a number is given again, a number with its start and boot is not. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: number;
  readonly bootId: string;
}

/** One line of /proc/PID/stat. The name in brackets may hold spaces and brackets, so fields count from the last one. */
export function parseStat(text: string): ProcessStat | undefined {
  const fields = text
    .slice(text.lastIndexOf(")") + 1)
    .trim()
    .split(/\s+/u);
  const pid = Number.parseInt(text, 10);
  const [state, , group, session] = fields;
  const startTicks = Number(fields[19]);
  if (state === undefined || !Number.isInteger(pid) || !Number.isInteger(startTicks)) return undefined;
  return { pid, state, group: Number(group), session: Number(session), startTicks };
}

/** Undefined when there is no such process, or one that ended and was not yet collected by its parent. */
export function readStat(pid: number): ProcessStat | undefined {
  try {
    const stat = parseStat(readFileSync(`/proc/${pid}/stat`, "latin1"));
    return stat?.state === "Z" || stat?.state === "X" ? undefined : stat;
  } catch {
    return undefined;
  }
}

/** When a process started, though it may have ended since: for a child whose parent has not collected it yet. */
export function readStartTicks(pid: number): number | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, "latin1"))?.startTicks;
  } catch {
    return undefined;
  }
}

/** The kernel counts process times in these for every program, whatever it counts in itself. */
const TICK_MS = 10;

/** When the process started, from its age. */
export function startOf(identity: ProcessIdentity, nowMs: number): number {
  const uptimeMs = Number.parseFloat(readFileSync("/proc/uptime", "latin1")) * 1_000;
  return Math.round(nowMs - (uptimeMs - identity.startTicks * TICK_MS));
}

let bootId: string | undefined;

/** Changes with each start of the machine; after one, an old pid and start time mean nothing. */
export function readBootId(): string {
  bootId ??= readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  return bootId;
}

export function isAlive(identity: ProcessIdentity): boolean {
  return readStat(identity.pid)?.startTicks === identity.startTicks && identity.bootId === readBootId();
}

export function listProcesses(): ProcessStat[] {
  return readdirSync("/proc").flatMap((name) => {
    const stat = /^\d+$/u.test(name) ? readStat(Number(name)) : undefined;
    return stat === undefined ? [] : [stat];
  });
}

/** The environment a process was started with; undefined when it is gone, or not ours to read. */
export function readEnvironment(pid: number): Readonly<Record<string, string>> | undefined {
  try {
    return parseEnvironment(readFileSync(`/proc/${pid}/environ`, "utf8"));
  } catch {
    return undefined;
  }
}

/** The arguments, each ended by a NUL; empty when it is gone. */
export function readCommandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

export function parseEnvironment(text: string): Record<string, string> {
  const entries = text.split("\0").flatMap((entry): [string, string][] => {
    const at = entry.indexOf("=");
    return at > 0 ? [[entry.slice(0, at), entry.slice(at + 1)]] : [];
  });
  return Object.fromEntries(entries);
}
