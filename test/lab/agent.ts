import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { collectorCommand, makeCacheDirectory } from "../../collector/launch.ts";
import type { CollectorSettings } from "../../collector/settings.ts";
import { askHttp, readBody } from "../../core/http.ts";
import { SECOND_MS } from "../../core/units.ts";
import { freePort } from "./free-port.ts";

const READY_WITHIN_MS = 30_000;
const PAGE_WITHIN_MS = 60_000;

/** The process that `flyball agent` becomes, beside an engine. */
export class FlyballAgent implements AsyncDisposable {
  /** Where its metrics are: host and port. */
  readonly address: string;
  readonly #directory: string;
  readonly #child: ChildProcess;
  #said = "";

  private constructor(address: string, directory: string, child: ChildProcess) {
    this.address = address;
    this.#directory = directory;
    this.#child = child;
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#said = `${this.#said}${text}`.slice(-100_000);
    });
  }

  static async start(socketPath: string, more: Partial<CollectorSettings> = {}): Promise<FlyballAgent> {
    const directory = mkdtempSync(join(tmpdir(), "flyball-agent-"));
    const port = await freePort();
    const { file, words, environment } = collectorCommand(
      {
        kind: "agent",
        settings: {
          intervalMs: SECOND_MS,
          root: "/",
          metrics: { host: "127.0.0.1", port },
          dockerHost: `unix://${socketPath}`,
          labels: {},
          ...more,
        },
      },
      makeCacheDirectory(directory),
    );
    const child = spawn(file, words, { stdio: ["ignore", "ignore", "pipe"], env: environment });
    const agent = new FlyballAgent(`127.0.0.1:${port}`, directory, child);
    try {
      await agent.#answers();
      return agent;
    } catch (error) {
      await agent[Symbol.asyncDispose]();
      throw error;
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get url(): string {
    return `http://${this.address}/metrics`;
  }

  /** What it logged lately. */
  get said(): string {
    return this.#said;
  }

  /** The page now. Rejects when it cannot be had, with what the agent said. */
  async page(): Promise<string> {
    try {
      const response = await askHttp(this.url, { signal: AbortSignal.timeout(PAGE_WITHIN_MS) });
      const { text } = await readBody(response);
      if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}: ${text}`);
      return text;
    } catch (error) {
      const end = this.#child.exitCode ?? this.#child.signalCode ?? "it runs";
      throw new Error(`${this.url} (${end}) gives no page; the agent said:\n${this.#said}`, { cause: error });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, "exit");
      this.#child.kill("SIGTERM");
      await ended;
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #answers(): Promise<void> {
    const deadlineMs = performance.now() + READY_WITHIN_MS;
    while (performance.now() < deadlineMs && this.#child.exitCode === null) {
      if ((await this.page().catch(() => "")) !== "") return;
      await sleep(50);
    }
    throw new Error(`the agent does not answer:\n${this.#said}`);
  }
}
