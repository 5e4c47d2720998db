import { spawn } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { isSystemError } from "../../core/errors.ts";

/** A process that cannot be confused with a later one that got the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from the machine's start to the process's start, as in `/proc/<pid>/stat`. */
  readonly startTicks: number;
}

/** The process with that number now, or undefined when there is none (a zombie counts as none). */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readProc(pid, "stat");
  if (stat === undefined) return undefined;
  // The second field is the command in parentheses and may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, startTicks] = [fields[0], Number(fields[19])];
  return state === "Z" || state === "X" || !Number.isFinite(startTicks) ? undefined : { pid, startTicks };
}

export function isRunning(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startTicks === identity.startTicks;
}

/** Starts a program that outlives this one; what it prints goes to the end of `logFile`. */
export async function startDetached(
  program: string,
  args: readonly string[],
  options: { env: NodeJS.ProcessEnv; logFile: string },
): Promise<ProcessIdentity> {
  const log = openSync(options.logFile, "a");
  try {
    const child = spawn(program, args, {
      cwd: "/",
      env: options.env,
      detached: true,
      stdio: ["ignore", log, log],
    });
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    child.unref();
    const identity = child.pid === undefined ? undefined : identify(child.pid);
    if (identity === undefined) throw new Error(`${program} ended at once; see ${options.logFile}`);
    return identity;
  } finally {
    closeSync(log);
  }
}

/** Ends a process: SIGTERM, then SIGKILL when it is still there after `graceMs`. Does nothing when it is gone. */
export async function stop(identity: ProcessIdentity, graceMs: number): Promise<void> {
  signal(identity, "SIGTERM");
  if (await goneWithin(identity, graceMs)) return;
  signal(identity, "SIGKILL");
  if (!(await goneWithin(identity, 10_000)))
    throw new Error(`process ${identity.pid} does not end, even by SIGKILL`);
}

/** Processes one of whose arguments is exactly `argument`. */
export function withArgument(argument: string): ProcessIdentity[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => identify(Number(entry)) ?? [])
    .filter(({ pid }) => readProc(pid, "cmdline")?.split("\0").includes(argument));
}

function signal(identity: ProcessIdentity, name: NodeJS.Signals): void {
  if (!isRunning(identity)) return;
  try {
    process.kill(identity.pid, name);
  } catch (error) {
    if (!isSystemError(error, "ESRCH")) throw error;
  }
}

async function goneWithin(identity: ProcessIdentity, withinMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + withinMs;
  while (isRunning(identity)) {
    if (performance.now() > deadlineMs) return false;
    await sleep(50);
  }
  return true;
}

function readProc(pid: number, file: "stat" | "cmdline"): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return undefined;
  }
}
