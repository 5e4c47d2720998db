/** Starting a command so that it cannot run unnoticed. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants as fsConstants, openSync } from "node:fs";
import type { Socket } from "node:net";
import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { FlyballError, isSystemError, messageOf } from "../../../core/errors.ts";
import { SAY_BEGUN, STATUS_DESCRIPTOR } from "./left-status.ts";
import { type ProcessIdentity, readBootId, readCommandLine, readStartTicks } from "./proc.ts";
import { storeError } from "./store-error.ts";
import type { UserIds } from "./user.ts";

export interface SpawnRequest {
  /** For messages. */
  readonly service: string;
  /** The file that `argv` means. */
  readonly path: string;
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  readonly user?: UserIds;
  readonly logPath: string;
  /** Says from now on whether the command was begun. */
  readonly statusPath: string;
  /** The command writes more of that itself, on `STATUS_DESCRIPTOR`. */
  readonly keepsStatus: boolean;
}

/** A process that has its pid, session and user, and waits to become the command. */
export interface GatedProcess {
  readonly identity: ProcessIdentity;
  /** Its exit status, as a shell gives it: 128 and the signal's number for one that a signal ended. */
  readonly ended: Promise<number>;
  /** Lets it become the command. */
  release(): void;
  /** Ends it; the command never runs. */
  abandon(): void;
}

const { O_APPEND, O_CREAT, O_WRONLY } = fsConstants;

/**
 * The gate: a shell that says whether it may execute the command, waits for one line, and becomes it. Between the two
 * the daemon moves it to its cgroup and writes its pid down. When the daemon dies first, the line never comes and
 * the shell ends: no command ever runs that no record knows, and of one that was written down it can be told that it
 * never ran.
 */
const GATE =
  '[ -x "$1" ] || { printf x >&3; exit 126; }; shift; printf r >&3; read -r go <&3 || exit 125; ' +
  `${SAY_BEGUN}; exec "$@" 3<&-`;
const GATES = { keepsStatus: GATE, keepsNone: `${GATE} ${STATUS_DESCRIPTOR}>&-` };
const SHELL = "/bin/sh";
/** So that a log can be cut under it. */
const APPENDING = O_WRONLY | O_CREAT | O_APPEND;
/** What is there takes no other room then, on a disk that may be full. */
const OVERWRITING = O_WRONLY | O_CREAT;
const SIGNAL_EXIT_BASE = 128;

/** @throws FlyballError ENGINE_REFUSED, STORE_FULL */
export async function spawnGated(request: SpawnRequest): Promise<GatedProcess> {
  const child = spawnShell(request);
  const ended = endOf(child);
  await spawned(child, request);
  child.unref();
  const gate = child.stdio[3] as Socket;
  // Its end is seen by the exit event; an error here says the same less well.
  gate.on("error", () => undefined);
  const [answer] = await Promise.race([
    once(gate, "data") as Promise<[Buffer]>,
    ended.then(() => [undefined]),
  ]).catch(() => [undefined]);
  if (child.pid === undefined || answer?.toString() !== "r") {
    const who = request.user === undefined ? "" : ` as user ${request.user.uid}`;
    throw new FlyballError(
      "ENGINE_REFUSED",
      `${request.service}: ${request.path} may not be executed${who}: permission denied`,
    );
  }
  const startTicks = readStartTicks(child.pid);
  if (startTicks === undefined) {
    gate.destroy();
    throw new FlyballError(
      "ENGINE_REFUSED",
      `${request.service}: process ${child.pid} cannot be seen in /proc`,
    );
  }
  return {
    ended,
    identity: { pid: child.pid, startTicks, bootId: readBootId() },
    release: () => gate.end("go\n", () => gate.destroy()),
    abandon: () => gate.destroy(),
  };
}

/** A gate that nobody holds any more ends, and one that was opened becomes the command: both within moments. */
const GATE_PAUSE_MS = 5;
const GATE_ROUNDS = 200;

/** Waits until a process that was found at its gate has become what it will be. */
export async function pastGate(pid: number): Promise<void> {
  for (let round = 0; round < GATE_ROUNDS && isGate(readCommandLine(pid)); round += 1) {
    await sleep(GATE_PAUSE_MS);
  }
}

/** True for the command line of a process that still waits at its gate. */
export function isGate(commandLine: string): boolean {
  return commandLine.split("\0")[2]?.startsWith(GATE) === true;
}

function endOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => {
      resolve(code ?? SIGNAL_EXIT_BASE + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}

function spawnShell(request: SpawnRequest): ChildProcess {
  const logFile = openOwn(request.logPath, APPENDING);
  const statusFile = openOwn(request.statusPath, OVERWRITING);
  const { plain, odd } = splitEnvironment(request.environment);
  const argv = odd.length === 0 ? request.argv : ["env", ...odd, ...request.argv];
  try {
    const gate = request.keepsStatus ? GATES.keepsStatus : GATES.keepsNone;
    return spawn(SHELL, ["-c", gate, "flyball", request.path, ...argv], {
      cwd: request.workingDirectory,
      env: plain,
      detached: true,
      stdio: ["ignore", logFile, logFile, "pipe", statusFile],
      ...(request.user === undefined ? {} : { uid: request.user.uid, gid: request.user.gid }),
    });
  } catch (error) {
    throw refusal(error, request);
  } finally {
    closeSync(logFile);
    closeSync(statusFile);
  }
}

/** A descriptor of the replica's own, and not a pipe: what it writes goes on being kept when the daemon is gone. */
function openOwn(path: string, flags: number): number {
  try {
    return openSync(path, flags, 0o600);
  } catch (error) {
    throw storeError(error, path);
  }
}

/** A shell passes on only names it could use itself; `server.port=80` has to go round it. */
export function splitEnvironment(environment: Readonly<Record<string, string>>): {
  readonly plain: Readonly<Record<string, string>>;
  readonly odd: readonly string[];
} {
  const isPlain = ([name]: readonly [string, string]): boolean => /^[A-Za-z_][A-Za-z0-9_]*$/u.test(name);
  const entries = Object.entries(environment);
  return {
    plain: Object.fromEntries(entries.filter(isPlain)),
    odd: entries.filter((entry) => !isPlain(entry)).map(([name, value]) => `${name}=${value}`),
  };
}

async function spawned(child: ChildProcess, request: SpawnRequest): Promise<void> {
  try {
    await once(child, "spawn");
  } catch (error) {
    throw refusal(error, request);
  }
}

function refusal(error: unknown, request: SpawnRequest): FlyballError {
  const why = isSystemError(error, "EACCES")
    ? `may not enter ${request.workingDirectory} or become the user asked for`
    : messageOf(error);
  return new FlyballError("ENGINE_REFUSED", `${request.service}: cannot start ${request.path}: ${why}`, {
    cause: error,
  });
}
