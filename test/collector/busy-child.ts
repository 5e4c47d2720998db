import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** A real process for tests, leader of its own session, ended with all it started when disposed of. */
export interface TestChild extends AsyncDisposable {
  readonly pid: number;
  /** Resolves when the child has written this line. */
  said(line: string): Promise<void>;
  /** The first line that it writes. */
  readonly firstLine: Promise<string>;
  end(): Promise<void>;
}

/** Runs a script with Node; `lead: false` leaves it in the session of the test. */
export async function startChild(script: string, { lead = true } = {}): Promise<TestChild> {
  const child: ChildProcess = spawn(process.execPath, ["-e", script], {
    detached: lead,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const { pid, stdout } = child;
  if (pid === undefined || stdout === null) throw new Error("the child could not be started");
  const heard = new Set<string>();
  const waiting = new Map<string, () => void>();
  const first = Promise.withResolvers<string>();
  createInterface({ input: stdout }).on("line", (line) => {
    first.resolve(line);
    heard.add(line);
    waiting.get(line)?.();
  });
  const end = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    process.kill(lead ? -pid : pid, "SIGKILL");
    await exited;
  };
  return {
    pid,
    said: (line) =>
      heard.has(line) ? Promise.resolve() : new Promise((resolve) => waiting.set(line, resolve)),
    firstLine: first.promise,
    end,
    [Symbol.asyncDispose]: end,
  };
}

/** Works for ever, on one core. */
export const SPIN =
  "console.log('spinning'); setInterval(() => { const end = Date.now() + 50; while (Date.now() < end); }, 0)";
/** Does nothing. */
export const REST = "console.log('resting'); setInterval(() => {}, 1e6)";

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until the condition holds; fails after a generous time. */
export async function eventually(what: string, holds: () => boolean): Promise<void> {
  for (let round = 0; round < 600; round += 1) {
    if (holds()) return;
    await sleep(50);
  }
  throw new Error(`did not come true: ${what}`);
}
