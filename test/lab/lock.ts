import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isSystemError } from "../../core/errors.ts";
import { identify, isRunning, type ProcessIdentity } from "./processes.ts";

const WAIT_MS = 10 * 60_000;

/** Runs `work` while no other command changes the same lab; waits its turn. A dead owner's lock does not count. */
export async function withLock<T>(
  directory: string,
  say: (line: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, "lock");
  const me = identify(process.pid);
  const deadlineMs = performance.now() + WAIT_MS;
  let hasSaid = false;
  while (!take(file, JSON.stringify(me))) {
    const owner = readOwner(file);
    if (owner !== undefined && !isRunning(owner)) {
      rmSync(file, { force: true });
      continue;
    }
    if (performance.now() > deadlineMs) throw new Error(`another command has held ${file} for ten minutes`);
    if (!hasSaid) say("another command is at work on this lab; waiting for it");
    hasSaid = true;
    await sleep(250);
  }
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

function take(file: string, owner: string): boolean {
  try {
    writeFileSync(file, owner, { flag: "wx" });
    return true;
  } catch (error) {
    if (isSystemError(error, "EEXIST")) return false;
    throw error;
  }
}

/** Undefined when the lock has just been given back, or is just being written. */
function readOwner(file: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as ProcessIdentity;
  } catch {
    return undefined;
  }
}
