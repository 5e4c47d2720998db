import { connect } from "node:net";
import { openLinkPath } from "../../core/link-path.ts";
import { isAlive } from "./alive.ts";

const TIMEOUT_MS = 5_000;
/** HAProxy reads a line into a buffer of 16 KiB. */
const LONGEST_LINE = 12_000;

/**
 * What HAProxy answers to these commands, one after the other. `master`: the process above the workers answers, or
 * passes on what begins with `@`. @throws when nobody answers
 */
export async function ask(
  directory: string,
  socket: "runtime" | "master",
  commands: readonly string[],
): Promise<string> {
  const answers: string[] = [];
  for (const line of asLines(commands)) answers.push(await askLine(directory, socket, line));
  return answers.join("\n");
}

function asLines(commands: readonly string[]): string[] {
  const lines: string[] = [];
  for (const command of commands) {
    const last = lines.at(-1);
    if (last === undefined || last.length + command.length > LONGEST_LINE) lines.push(command);
    else lines[lines.length - 1] = `${last};${command}`;
  }
  return lines;
}

async function askLine(directory: string, name: string, line: string): Promise<string> {
  using link = openLinkPath(directory, name);
  return await new Promise<string>((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ path: link.path, signal: AbortSignal.timeout(TIMEOUT_MS) });
    // The end of what is asked is what makes the master close after its answer.
    socket.on("connect", () => socket.end(`${line}\n`));
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
    socket.on("error", reject);
    socket.on("close", () => reject(new Error(`HAProxy closed its socket ${name} without an answer`)));
  });
}

/** A master that becomes its own successor, at a start and at a reload, is deaf for a moment. */
export const DEAF_AT_MOST_MS = 3_000;
const KNOCK_EVERY_MS = 20;

/** Tells when the master has ended: a connection that nobody uses breaks with it. */
export function watchMaster(directory: string, pid: number, onEnd: () => void): Disposable {
  const stopped = new AbortController();
  let deafSinceMs: number | undefined;
  const watch = (): void => {
    if (stopped.signal.aborted) return;
    using link = openLinkPath(directory, "master");
    const socket = connect({ path: link.path });
    const stop = () => socket.destroy();
    stopped.signal.addEventListener("abort", stop);
    socket.on("connect", () => {
      deafSinceMs = undefined;
    });
    socket.resume();
    socket.on("error", () => {});
    socket.on("close", () => {
      stopped.signal.removeEventListener("abort", stop);
      deafSinceMs ??= performance.now();
      if (stopped.signal.aborted) return;
      if (isAlive(pid) && performance.now() - deafSinceMs < DEAF_AT_MOST_MS) {
        setTimeout(watch, KNOCK_EVERY_MS).unref();
      } else onEnd();
    });
    socket.unref();
  };
  watch();
  return { [Symbol.dispose]: () => stopped.abort() };
}
