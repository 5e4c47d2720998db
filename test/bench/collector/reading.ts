import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Target } from "../../../core/types.ts";
import { freePort } from "../../lab/free-port.ts";
import type { Fleet } from "./fleet.ts";
import { getPage } from "./pages.ts";
import type { Order, Report } from "./receiving-daemon.ts";

const READY_WITHIN_MS = 60_000;

/** The collector and the process that takes its samples, reading containers once a second. */
export class Reading implements AsyncDisposable {
  readonly url: string;
  readonly #directory: string;
  readonly #daemon: ChildProcess;

  private constructor(url: string, directory: string, daemon: ChildProcess) {
    this.url = url;
    this.#directory = directory;
    this.#daemon = daemon;
  }

  static async start({ containers, socketPath }: Fleet): Promise<Reading> {
    const directory = mkdtempSync(join(tmpdir(), "flyball-bench-"));
    const metrics = { host: "127.0.0.1", port: await freePort() };
    const daemon = fork(join(import.meta.dirname, "receiving-daemon.ts"), [directory]);
    const targets = containers.map(
      ({ id, pid, service }): Target => ({ replica: id, service, pid, kind: "container" }),
    );
    daemon.send({ kind: "read", targets, metrics, dockerHost: `unix://${socketPath}` } satisfies Order);
    return new Reading(`http://${metrics.host}:${metrics.port}/metrics`, directory, daemon);
  }

  get daemonPid(): number {
    return this.#daemon.pid ?? 0;
  }

  /** Resolves when the collector offers its page. */
  async answers(): Promise<void> {
    const deadlineMs = performance.now() + READY_WITHIN_MS;
    while ((await getPage(this.url).catch(() => undefined)) === undefined) {
      if (performance.now() > deadlineMs) throw new Error("the collector does not answer");
      await sleep(100);
    }
  }

  async report(): Promise<Report> {
    const answer = once(this.#daemon, "message", { signal: AbortSignal.timeout(30_000) });
    this.#daemon.send({ kind: "report" } satisfies Order);
    const [report] = (await answer) as [Report];
    return report;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#daemon, "exit");
    this.#daemon.disconnect();
    await ended;
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

const KERNEL_FILE = /^\/(?:sys\/fs\/cgroup|proc\/\d+)\//;

/** The kernel's files that a process holds open: cgroups' and processes'. */
export function kernelFilesOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((descriptor) => {
    try {
      const path = readlinkSync(`/proc/${pid}/fd/${descriptor}`);
      // Some files of a process have no path any more though the process lives.
      return KERNEL_FILE.test(path) && existsSync(path) ? [path] : [];
    } catch {
      // Closed meanwhile.
      return [];
    }
  });
}

/** The same files, read raw once a second. */
export class Floor implements AsyncDisposable {
  readonly #directory: string;
  readonly #child: ChildProcess;

  private constructor(directory: string, child: ChildProcess) {
    this.#directory = directory;
    this.#child = child;
  }

  static async start(files: readonly string[]): Promise<Floor> {
    const directory = mkdtempSync(join(tmpdir(), "flyball-bench-"));
    const list = join(directory, "files");
    writeFileSync(list, files.join("\n"));
    const child = spawn(process.execPath, [join(import.meta.dirname, "floor.ts"), list], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const floor = new Floor(directory, child);
    if (child.stdout !== null) await once(child.stdout, "data", { signal: AbortSignal.timeout(10_000) });
    return floor;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    await ended;
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
