import { type Balancer, type Outcome, Refusal } from "../balancer.ts";
import { type Command, changesTo, type Running } from "../changes.ts";
import type { Snapshot } from "../readings.ts";
import type { TrafficTable } from "../table.ts";
import { type Processes, parseInfo, parseLatencies, parseServers, parseStats } from "./answers.ts";
import { runtimeLines } from "./commands.ts";
import { haproxyConfig, LATENCY_TABLE } from "./config-text.ts";
import { HaproxyProcess, type HaproxyProcessOptions } from "./process.ts";
import { ask } from "./socket.ts";

const BACKENDS_AND_SERVERS = 2 + 4;
const SERVERS = 4;
const ALL = -1;

/** A HAProxy that is brought to a table, and asked what it counts. */
export class Haproxy implements Balancer {
  readonly name = "HAProxy";
  readonly #process: HaproxyProcess;
  readonly #directory: string;
  readonly #isRoot = process.getuid?.() === 0;

  constructor(options: HaproxyProcessOptions) {
    this.#process = new HaproxyProcess(options);
    this.#directory = options.directory;
  }

  get runs(): boolean {
    return this.#process.runs;
  }

  version(): Promise<string | undefined> {
    return this.#process.version();
  }

  /** Takes over what an earlier daemon left. */
  adopt(): Promise<boolean> {
    return this.#process.adopt();
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }

  /** By commands, or by a reload where they are not enough. */
  async bring(table: TrafficTable, mayReload: boolean): Promise<Outcome> {
    const config = haproxyConfig(table, { isRoot: this.#isRoot });
    if (!this.runs) {
      await this.#process.start(config);
      return "start";
    }
    const running = await this.running();
    const changes = changesTo({ table, structure: config.structure }, running);
    if (changes.kind === "commands") await this.#tell(changes.commands);
    if (changes.kind === "reload" && !mayReload) {
      await this.#bringServers(table, running);
      return "none";
    }
    if (changes.kind === "reload") {
      try {
        await this.#process.reload(config);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        await this.#bringServers(table, running);
        throw error;
      }
    }
    return changes.kind;
  }

  processes(): Promise<Processes> {
    return this.#process.processes();
  }

  async running(): Promise<Running> {
    const said = await ask(this.#directory, "runtime", ["show info", "show servers state"]);
    // One that this version did not write is replaced as a whole.
    return { structure: parseInfo(said)?.structure ?? "", servers: parseServers(said) };
  }

  async close(backends: readonly string[], server: string): Promise<void> {
    await this.#tell(backends.map((backend) => ({ kind: "close", backend, server })));
  }

  async snapshot(nowMs: number): Promise<Snapshot> {
    const said = await ask(this.#directory, "runtime", [
      "show info",
      `show stat ${ALL} ${BACKENDS_AND_SERVERS} ${ALL}`,
      `show table ${LATENCY_TABLE}`,
    ]);
    return {
      atMs: nowMs,
      epoch: parseInfo(said)?.pid ?? 0,
      counted: parseStats(said).filter(({ backend }) => backend !== LATENCY_TABLE),
      latencies: parseLatencies(said),
    };
  }

  /** In this worker, and in those that a reload has replaced. */
  async open(backends: readonly string[], server: string): Promise<number> {
    const { oldWorkers } = await this.#process.processes();
    const questions = backends.map((backend) => `show stat ${backend} ${SERVERS} ${ALL}`);
    const answers = await Promise.all([
      ask(this.#directory, "runtime", questions),
      // A worker that has ended meanwhile has nothing left.
      ...oldWorkers.map((pid) =>
        ask(
          this.#directory,
          "master",
          questions.map((question) => `@!${pid} ${question}`),
        ).catch(() => ""),
      ),
    ]);
    return answers
      .flatMap(parseStats)
      .filter((counted) => counted.server === server)
      .reduce((sum, { open, queued }) => sum + open + queued, 0);
  }

  /** Leaves it running. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#process[Symbol.dispose]();
  }

  /** What can be had of the table without a new configuration. */
  async #bringServers(table: TrafficTable, running: Running): Promise<void> {
    const changes = changesTo({ table, structure: running.structure }, running);
    if (changes.kind === "commands") await this.#tell(changes.commands);
  }

  async #tell(commands: readonly Command[]): Promise<void> {
    if (commands.length === 0) return;
    this.#process.trimLog();
    await ask(this.#directory, "runtime", commands.flatMap(runtimeLines));
  }
}
