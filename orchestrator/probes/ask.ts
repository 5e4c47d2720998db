import { request } from "node:http";
import { connect } from "node:net";
import { isSystemError, messageOf } from "../../core/errors.ts";
import type { Endpoint, Probe, ReplicaId } from "../../core/types.ts";
import { formatDuration } from "../../core/units.ts";
import type { Engine } from "../engine.ts";

/** What a question to a replica came to. */
export type Answer = { readonly passed: true } | { readonly passed: false; readonly problem: string };

/** Runs a command inside a replica. */
export type Run = Engine["run"];

/** Whom the question is for. */
export interface Asked {
  readonly replica: ReplicaId;
  /** For http and tcp. */
  readonly endpoint: Endpoint | undefined;
}

const PASSED: Answer = { passed: true };
/** As much of what a command wrote as is shown. */
const OUTPUT_BYTES = 1_024;
const SHOWN_CHARACTERS = 200;

/** One question. Does not throw: what goes wrong is the answer. The signal ends it, with all that it started. */
export async function ask(
  probe: Probe,
  { replica, endpoint }: Asked,
  timeoutMs: number,
  run: Run,
  signal: AbortSignal,
): Promise<Answer> {
  if (probe.kind === "cmd") return await askCommand(probe.command ?? [], replica, timeoutMs, run, signal);
  if (endpoint === undefined) return failed("it has no such port");
  if (probe.kind === "tcp") return await askTcp(endpoint, timeoutMs, signal);
  return await askHttp(endpoint, probe.path ?? "/", timeoutMs, signal);
}

function askHttp(
  { host, port }: Endpoint,
  path: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Answer> {
  return new Promise((resolve) => {
    // The whole of it: a body without an end would hold one connection more for each question.
    const either = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const asked = request({ host, port, path, agent: false, signal: either }, (response) => {
      response.on("error", () => undefined).resume();
      const status = response.statusCode ?? 0;
      resolve(status >= 200 && status < 400 ? PASSED : failed(`it answered ${status}`));
    });
    asked.on("error", (error) => resolve(either.aborted ? late(timeoutMs) : notReached(error)));
    asked.on("close", () => resolve(failed("it ended the connection without an answer")));
    asked.end();
  });
}

function askTcp({ host, port }: Endpoint, timeoutMs: number, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs, signal });
    const end = (answer: Answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.on("connect", () => end(PASSED));
    socket.on("timeout", () => end(late(timeoutMs)));
    socket.on("error", (error) => end(notReached(error)));
  });
}

async function askCommand(
  argv: readonly string[],
  replica: ReplicaId,
  timeoutMs: number,
  run: Run,
  signal: AbortSignal,
): Promise<Answer> {
  try {
    const { exitCode, output } = await run(replica, { argv, timeoutMs, outputBytes: OUTPUT_BYTES }, signal);
    if (exitCode === 0) return PASSED;
    const [said = ""] = output.trim().split("\n").slice(-1);
    const words = said === "" ? "" : ` (${said.slice(0, SHOWN_CHARACTERS)})`;
    return exitCode === undefined
      ? failed(`its command did not end within ${formatDuration(timeoutMs)}${words}`)
      : failed(`its command ended with status ${exitCode}${words}`);
  } catch (error) {
    return failed(messageOf(error));
  }
}

function late(timeoutMs: number): Answer {
  return failed(`it did not answer within ${formatDuration(timeoutMs)}`);
}

function notReached(error: unknown): Answer {
  return isSystemError(error, "ECONNREFUSED")
    ? failed("it accepts no connection")
    : failed(`it cannot be reached: ${messageOf(error)}`);
}

function failed(problem: string): Answer {
  return { passed: false, problem };
}
