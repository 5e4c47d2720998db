import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../lab/free-port.ts";
import { type Bench, type Figure, percentile } from "./figure.ts";

const CLI = resolve(import.meta.dirname, "../../cli/main.ts");
const SHOP = resolve(import.meta.dirname, "../../examples/shop/compose.yaml");
const RUNS = 10;
const READY_GOAL_MS = 1_000;
const MEMORY_GOAL_MB = 150;
const MB = 1e6;
/** From the start to the reading of the memory. */
const SETTLE_MS = 10_000;
const ASK_EVERY_MS = 5;
const PATIENCE_MS = 30_000;

/** How soon the daemon answers, and what it and its collector keep in memory, with the process engine. */
export const benchDaemon: Bench = async (say) => {
  const directory = mkdtempSync(join(tmpdir(), "flyball-bench-"));
  try {
    const firstMs = await timeToReady(directory);
    say(`the first start, with nothing compiled before: ready after ${Math.round(firstMs)} ms`);
    const laterMs: number[] = [];
    for (let run = 0; run < RUNS; run += 1) laterMs.push(await timeToReady(directory));
    say(`${RUNS} starts after it: ${laterMs.map(Math.round).join(", ")} ms`);
    const idle = await memoryOf(directory, ["serve"]);
    const withShop = await memoryOf(directory, ["up", "-f", SHOP]);
    return [
      { name: "first start to ready", value: Math.round(firstMs), unit: "ms" },
      { name: "start to ready, p50", value: Math.round(percentile(laterMs, 0.5)), unit: "ms" },
      {
        name: "start to ready, p95",
        value: Math.round(percentile(laterMs, 0.95)),
        unit: "ms",
        goal: { is: "below", value: READY_GOAL_MS },
      },
      ...memoryFigures("no service", idle),
      ...memoryFigures("the shop running", withShop),
    ];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
};

interface Memory {
  readonly daemon: ProcessMemory;
  readonly collector: ProcessMemory;
}

interface ProcessMemory {
  readonly residentBytes: number;
  /** Without the pages of files, which are mostly Node's own and shared by all processes that run it. */
  readonly privateBytes: number;
}

function memoryFigures(situation: string, { daemon, collector }: Memory): Figure[] {
  const figure = (name: string, bytes: number): Figure => ({
    name: `${situation}: ${name}`,
    value: Math.round(bytes / MB),
    unit: "MB",
  });
  return [
    figure("daemon resident", daemon.residentBytes),
    figure("collector resident", collector.residentBytes),
    {
      ...figure("resident together", daemon.residentBytes + collector.residentBytes),
      goal: { is: "below", value: MEMORY_GOAL_MB },
    },
    figure("private together", daemon.privateBytes + collector.privateBytes),
  ];
}

async function timeToReady(directory: string): Promise<number> {
  const startedAtMs = performance.now();
  await using daemon = await Daemon.start(directory, ["serve"]);
  await daemon.ready();
  return performance.now() - startedAtMs;
}

async function memoryOf(directory: string, words: readonly string[]): Promise<Memory> {
  await using daemon = await Daemon.start(directory, words);
  await daemon.ready();
  await sleep(SETTLE_MS);
  const memory = daemon.memory();
  if (words[0] === "up") await daemon.removeShop();
  return memory;
}

/** `flyball` with a data directory and a port of its own, and none of the user's settings. */
class Daemon implements AsyncDisposable {
  readonly #directory: string;
  readonly #listen: string;
  readonly #child: ChildProcess;

  private constructor(directory: string, port: number, words: readonly string[]) {
    this.#directory = directory;
    this.#listen = `127.0.0.1:${port}`;
    writeFileSync(join(directory, "flyball.yaml"), "");
    this.#child = this.#flyball(words);
  }

  static async start(directory: string, words: readonly string[]): Promise<Daemon> {
    return new Daemon(directory, await freePort(), words);
  }

  async ready(): Promise<void> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    while (this.#child.exitCode === null) {
      const answer = await fetch(`http://${this.#listen}/readyz`, { signal }).catch(() => undefined);
      signal.throwIfAborted();
      await answer?.body?.cancel();
      if (answer?.ok === true) return;
      await sleep(ASK_EVERY_MS);
    }
    throw new Error(
      `the daemon ended with status ${this.#child.exitCode}:\n${readFileSync(this.#logFile, "utf8")}`,
    );
  }

  memory(): Memory {
    const { pid = 0 } = this.#child;
    const collectors = childrenOf(pid).filter((child) => commandOf(child).includes("collector/main.ts"));
    const [collector] = collectors;
    if (collector === undefined || collectors.length > 1)
      throw new Error(`expected one collector, got ${collectors.length}`);
    return { daemon: memoryOfProcess(pid), collector: memoryOfProcess(collector) };
  }

  async removeShop(): Promise<void> {
    const [status] = await once(this.#flyball(["down", "-p", "shop"]), "exit");
    if (status !== 0) throw new Error(`the shop could not be removed: status ${status}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    await ended;
  }

  get #logFile(): string {
    return join(this.#directory, "daemon.log");
  }

  #flyball(words: readonly string[]): ChildProcess {
    const flags = [
      "--engine",
      "process",
      "--data-dir",
      join(this.#directory, "data"),
      "--listen",
      this.#listen,
    ];
    const log = openSync(this.#logFile, "a");
    try {
      return spawn(process.execPath, [CLI, ...words, ...flags], {
        stdio: ["ignore", log, log],
        env: {
          HOME: this.#directory,
          FLYBALL_CONFIG: join(this.#directory, "flyball.yaml"),
          // The shop says `node`, and means the one that runs this.
          PATH: [dirname(process.execPath), process.env["PATH"]].join(delimiter),
        },
      });
    } finally {
      closeSync(log);
    }
  }
}

function childrenOf(pid: number): number[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  return readFileSync(path, "utf8").trim().split(/\s+/).filter(Boolean).map(Number);
}

function commandOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
}

function memoryOfProcess(pid: number): ProcessMemory {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const bytesOf = (field: string) =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) * 1_024;
  return { residentBytes: bytesOf("VmRSS"), privateBytes: bytesOf("RssAnon") };
}
