/** Runs a command beside a replica: as it, and not part of it. */
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { isSystemError, messageOf } from "../../../core/errors.ts";
import type { Command, CommandEnd } from "../../engine.ts";
import { OutputTail } from "../output-tail.ts";
import { VARIABLES } from "./identity.ts";
import type { UserIds } from "./user.ts";

/** The circumstances of the replica. */
export interface Place {
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  readonly user?: UserIds;
}

/** What it wrote last may come a moment after its end; what it left running may hold the pipe for good. */
const LAST_OUTPUT_MS = 100;

/** @throws the signal's reason */
export async function runBeside(
  { argv: [program = "", ...rest], timeoutMs, outputBytes }: Command,
  { environment, workingDirectory, user }: Place,
  signal: AbortSignal,
): Promise<CommandEnd> {
  signal.throwIfAborted();
  const child = spawn(program, rest, {
    cwd: workingDirectory,
    env: { ...environment, [VARIABLES.role]: "healthcheck" },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
  });
  const output = new OutputTail(outputBytes);
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => output.append(chunk));
    stream.on("error", () => undefined);
  }
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    kill(child);
  }, timeoutMs);
  const onAbort = (): void => kill(child);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const exitCode = await exitOf(child, output);
    await Promise.race([closed, sleep(LAST_OUTPUT_MS)]);
    signal.throwIfAborted();
    return isLate ? { output: output.text } : { exitCode, output: output.text };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

/** As a shell gives it. */
const ENDED_BY_SIGNAL = 128;
const NOT_EXECUTABLE = 126;
const NOT_FOUND = 127;

function exitOf(child: ChildProcess, output: OutputTail): Promise<number> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve(code ?? ENDED_BY_SIGNAL + numberOf(signal)));
    child.once("error", (error) => {
      output.append(Buffer.from(messageOf(error)));
      resolve(isSystemError(error, "ENOENT") ? NOT_FOUND : NOT_EXECUTABLE);
    });
  });
}

function numberOf(signal: NodeJS.Signals | null): number {
  return signal === null ? 0 : constants.signals[signal];
}

/** With all it started. It is our own child and not yet collected, so that its number is still its own. */
function kill(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // It ended by itself in the meantime.
  }
}
