import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Config } from "../core/config.ts";
import { FlyballError, messageOf } from "../core/errors.ts";
import { type Client, isErrorCode } from "./client.ts";
import type { GlobalFlags } from "./options.ts";
import { waitUntilReady } from "./readiness.ts";
import type { Terminal } from "./terminal.ts";

export interface DetachedDaemon {
  readonly pid: number | undefined;
  readonly logFile: string;
}

const START_TIMEOUT_MS = 30_000;

/**
 * Starts `flyball serve` as a process that outlives this one, and waits until it is ready.
 * @throws FlyballError what the daemon ended with, or NOT_READY
 */
export async function startDetached(
  config: Config,
  flags: GlobalFlags,
  client: Client,
  terminal: Terminal,
): Promise<DetachedDaemon> {
  if (config.listen.port === 0) {
    throw new FlyballError("CONFIG_INVALID", "a detached daemon needs a port to be found at, got port 0");
  }
  const log = openLog(config.dataDirectory);
  let child: ChildProcess;
  try {
    child = spawn(process.execPath, [...process.execArgv, ...serveArguments(config, flags, terminal)], {
      cwd: config.dataDirectory,
      env: terminal.environment,
      stdio: ["ignore", log.descriptor, log.descriptor],
      detached: true,
    });
  } finally {
    closeSync(log.descriptor);
  }
  const ended = new AbortController();
  child.once("error", () => ended.abort());
  child.once("exit", () => ended.abort());
  try {
    await waitUntilReady(client, { timeoutMs: START_TIMEOUT_MS, signal: ended.signal, starting: true });
  } catch (error) {
    if (!ended.signal.aborted) throw error;
    throw failureIn(readFileSync(log.path).subarray(log.start).toString(), log.path);
  }
  child.unref();
  return { pid: child.pid, logFile: log.path };
}

/** What a daemon that ended said last, as the error it was. */
export function failureIn(logText: string, logPath: string): FlyballError {
  const lines = logText.trimEnd().split("\n");
  for (const line of lines.toReversed()) {
    const [, code, message] = /^([A-Z_]+): (.+)$/.exec(line) ?? [];
    if (code !== undefined && message !== undefined && isErrorCode(code)) {
      return new FlyballError(code, `the daemon did not start: ${message} (${logPath})`);
    }
  }
  return new FlyballError("INTERNAL", `the daemon did not start: ${lines.at(-1)} (${logPath})`);
}

function serveArguments(config: Config, flags: GlobalFlags, terminal: Terminal): string[] {
  const { host, port } = config.listen;
  const listen = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  const file =
    flags.config === undefined ? [] : ["--config", resolve(terminal.workingDirectory, flags.config)];
  return [
    fileURLToPath(new URL("./main.ts", import.meta.url)),
    "serve",
    ...["--data-dir", config.dataDirectory, "--engine", config.engine, "--listen", listen],
    ...file,
  ];
}

function openLog(dataDirectory: string): { path: string; descriptor: number; start: number } {
  const path = join(dataDirectory, "flyball.log");
  try {
    mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
    const descriptor = openSync(path, "a", 0o600);
    return { path, descriptor, start: fstatSync(descriptor).size };
  } catch (error) {
    throw new FlyballError("STORE_UNUSABLE", `the log ${path} cannot be written: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
