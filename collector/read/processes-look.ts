import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path/posix";
import type { Details, TaskStates } from "./measurement.ts";

/** Above so many open files the sockets among them are not told apart: each takes a call of its own. */
const SOCKETS_COUNTED_TO = 20_000;

type ProcessesLook = Pick<Details, "processes" | "openFiles" | "sockets" | "openFilesLimit" | "tasks">;

/**
 * Looks at each process by itself, which is dear: one step per process, and between steps the caller may pause.
 * Processes that end meanwhile are left out; of files that may not be listed the number is absent.
 */
export function* lookAtProcesses(procRoot: string, pids: readonly number[]): Generator<void, ProcessesLook> {
  let processes = 0;
  let openFiles: number | undefined = 0;
  let sockets: number | undefined = 0;
  let openFilesLimit: number | undefined;
  const tasks = { running: 0, sleeping: 0, stopped: 0, uninterruptible: 0 };
  for (const pid of pids) {
    const directory = join(procRoot, String(pid));
    if (!countTasks(directory, tasks)) continue;
    processes += 1;
    openFilesLimit ??= readOpenFilesLimit(directory);
    const descriptors = namesIn(join(directory, "fd"));
    openFiles = sumOf(openFiles, descriptors?.length);
    if (openFiles === undefined || openFiles > SOCKETS_COUNTED_TO) sockets = undefined;
    if (sockets !== undefined) sockets += yield* countSockets(directory, descriptors ?? []);
    yield;
  }
  return {
    processes,
    tasks,
    ...(openFiles !== undefined && { openFiles }),
    ...(sockets !== undefined && { sockets }),
    ...(openFilesLimit !== undefined && { openFilesLimit }),
  };
}

const STATES: Readonly<Record<string, keyof TaskStates>> = {
  R: "running",
  S: "sleeping",
  I: "sleeping",
  T: "stopped",
  t: "stopped",
  D: "uninterruptible",
};

/** False when the process is not there any more. */
function countTasks(directory: string, tasks: { -readonly [State in keyof TaskStates]: number }): boolean {
  const threads = namesIn(join(directory, "task"));
  if (threads === undefined) return false;
  for (const thread of threads) {
    const state = STATES[stateOf(join(directory, "task", thread, "stat")) ?? ""];
    if (state !== undefined) tasks[state] += 1;
  }
  return true;
}

/** The letter behind the name, which may hold brackets itself. */
function stateOf(path: string): string | undefined {
  try {
    const text = readFileSync(path, "latin1");
    return text[text.lastIndexOf(")") + 2];
  } catch {
    return undefined;
  }
}

const SOCKETS_PER_STEP = 100;

function* countSockets(directory: string, descriptors: readonly string[]): Generator<void, number> {
  let sockets = 0;
  for (const [index, descriptor] of descriptors.entries()) {
    if (index % SOCKETS_PER_STEP === SOCKETS_PER_STEP - 1) yield;
    try {
      if (readlinkSync(join(directory, "fd", descriptor)).startsWith("socket:")) sockets += 1;
    } catch {
      // It was closed since it was listed.
    }
  }
  return sockets;
}

function readOpenFilesLimit(directory: string): number | undefined {
  try {
    return parseOpenFilesLimit(readFileSync(join(directory, "limits"), "latin1"));
  } catch {
    return undefined;
  }
}

/** The soft limit in a `/proc/PID/limits`; undefined for `unlimited` too. */
export function parseOpenFilesLimit(text: string): number | undefined {
  const digits = /^Max open files +(\d+)/mu.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function namesIn(directory: string): string[] | undefined {
  try {
    return readdirSync(directory);
  } catch {
    return undefined;
  }
}

function sumOf(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b;
}

/** The processes of a cgroup and of those below it. */
export function pidsBelow(directory: string): number[] {
  try {
    const own = readFileSync(join(directory, "cgroup.procs"), "latin1")
      .split("\n")
      .filter(Boolean)
      .map(Number);
    const below = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [...own, ...below.flatMap(({ name }) => pidsBelow(join(directory, name)))];
  } catch {
    // It was removed meanwhile; a threaded cgroup lists no processes.
    return [];
  }
}
