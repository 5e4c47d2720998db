import { setTimeout as sleep } from "node:timers/promises";
import type { Command, CommandEnd } from "../../engine.ts";
import { OutputTail } from "../output-tail.ts";
import { createExec, inspectExec, startExec } from "./api.ts";
import type { DockerConnection } from "./connect.ts";
import { FrameReader } from "./frames.ts";

/**
 * The engine can start a command in a container and cannot end one, nor say its number there. So it tells its number
 * itself, on its first line: the engine makes it the first of a process group, which is ended by that number.
 */
const TELL_NUMBER = 'echo "$$"; exec "$@"';
const END_GROUP = 'kill -9 "-$1"';

/** Over the deadline of the command: what has not even begun by then is not waited for. */
const BEGIN_MS = 10_000;
/** What a signal has ended is gone within moments. */
const END_MS = 5_000;
/** As a shell says it of what was killed. */
const ENDED_WITH_CONTAINER = 137;
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 200;

/** Runs a command in a container. @throws FlyballError ENGINE_UNAVAILABLE, ENGINE_REFUSED; the signal's reason */
export async function runInside(
  connection: DockerConnection,
  container: string,
  { argv, timeoutMs, outputBytes }: Command,
  signal: AbortSignal,
): Promise<CommandEnd> {
  const told = ["/bin/sh", "-c", TELL_NUMBER, "sh", ...argv];
  const id = await createExec(connection, container, told, { signal });
  signal.throwIfAborted();
  // Without the signal: once it may have begun, it has to be ended.
  const stream = await startExec(connection, id, false, { deadlineMs: timeoutMs + BEGIN_MS });
  const output = new OutputTail(outputBytes);
  const line = new NumberLine();
  const reading = readAll(stream, line, output);
  try {
    if (await endsIn(reading, timeoutMs, signal)) {
      return { exitCode: await exitCodeOf(connection, id, signal), output: output.text };
    }
    await endGroup(
      connection,
      container,
      await Promise.race([line.number, after(BEGIN_MS), reading.then(() => undefined)]),
    );
    await Promise.race([reading, after(END_MS)]);
    signal.throwIfAborted();
    return { output: output.text };
  } finally {
    stream.destroy();
  }
}

/** False when the time is over first, or the signal comes. */
async function endsIn(reading: Promise<void>, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
  const over = Promise.withResolvers<boolean>();
  const end = (): void => over.resolve(false);
  const timer = setTimeout(end, timeoutMs);
  signal.addEventListener("abort", end, { once: true });
  if (signal.aborted) end();
  try {
    return await Promise.race([reading.then(() => true), over.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
  }
}

/** What it writes ends with it, or with the connection. */
async function readAll(stream: NodeJS.ReadableStream, line: NumberLine, output: OutputTail): Promise<void> {
  const frames = new FrameReader();
  try {
    for await (const chunk of stream) {
      for (const { kind, payload } of frames.take(Buffer.from(chunk))) {
        output.append(kind === "stdout" ? line.take(payload) : payload);
      }
    }
  } catch {
    // Its end is seen by its exit code, or not at all.
  }
}

/** The number on the first line of a text that comes in pieces. */
class NumberLine {
  readonly #number = Promise.withResolvers<string>();
  readonly number = this.#number.promise;
  #begun = Buffer.alloc(0);
  #isPast = false;

  /** What of the piece comes after that line. Another line is the engine's, which could not run the command. */
  take(piece: Buffer): Buffer {
    if (this.#isPast) return piece;
    this.#begun = Buffer.concat([this.#begun, piece]);
    const end = this.#begun.indexOf("\n");
    if (end < 0) return Buffer.alloc(0);
    this.#isPast = true;
    const line = this.#begun.toString("latin1", 0, end);
    if (!/^[1-9]\d*$/u.test(line)) return this.#begun;
    this.#number.resolve(line);
    return this.#begun.subarray(end + 1);
  }
}

async function endGroup(
  connection: DockerConnection,
  container: string,
  number: string | undefined,
): Promise<void> {
  if (number === undefined) return;
  try {
    const id = await createExec(connection, container, ["/bin/sh", "-c", END_GROUP, "sh", number], {});
    const nothing = await startExec(connection, id, true, {});
    nothing.destroy();
  } catch {
    // With the container everything in it has ended.
  }
}

/** The engine notes the end of a command a moment after the end of what it wrote. */
async function exitCodeOf(connection: DockerConnection, id: string, signal: AbortSignal): Promise<number> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    const { Running, ExitCode } = await inspectExec(connection, id, { signal });
    if (!Running) return ExitCode ?? ENDED_WITH_CONTAINER;
    await sleep(pauseMs, undefined, { signal });
  }
}

async function after(durationMs: number): Promise<undefined> {
  await sleep(durationMs, undefined, { ref: false });
}
