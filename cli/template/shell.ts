import { spawn } from "node:child_process";
import { once } from "node:events";
import { FlyballError } from "../../core/errors.ts";
import { formatDuration, MINUTE_MS, SECOND_MS } from "../../core/units.ts";

const TIMEOUT_MS = MINUTE_MS;
/** From the request to end until the end. */
const GRACE_MS = 5 * SECOND_MS;

/**
 * Runs a command of the person's own to its end, with the shell. What it writes goes where notes go.
 * @throws FlyballError COMMAND_FAILED
 */
export async function runShell(command: string, timeoutMs: number = TIMEOUT_MS): Promise<void> {
  // A group of its own: Ctrl-C is for the one who waits, and what the shell started is ended with it.
  const child = spawn("/bin/sh", ["-c", command], { stdio: ["ignore", 2, 2], detached: true });
  const kill = (signal: NodeJS.Signals) => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, signal);
  };
  let isLate = false;
  const late = setTimeout(() => {
    isLate = true;
    kill("SIGTERM");
  }, timeoutMs);
  const force = setTimeout(() => kill("SIGKILL"), timeoutMs + GRACE_MS);
  try {
    const [status, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
    if (status === 0 && !isLate) return;
    const how = isLate
      ? `has not ended within ${formatDuration(timeoutMs)}`
      : signal === null
        ? `ended with status ${status}`
        : `was ended by ${signal}`;
    throw new FlyballError("COMMAND_FAILED", `${command} ${how}`);
  } finally {
    clearTimeout(late);
    clearTimeout(force);
  }
}

/** The word as one word of a shell's line. */
export function shellWord(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
