import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { Clock } from "../../core/clock.ts";
import { isSystemError, messageOf } from "../../core/errors.ts";
import { makePrivateDirectory } from "../../core/link-path.ts";
import type { Log } from "../../core/log.ts";
import { Refusal } from "../balancer.ts";
import { isAlive } from "./alive.ts";
import { type Processes, parseInfo, parseProcesses } from "./answers.ts";
import { CONFIG_FILE, type HaproxyConfig, MASTER_SOCKET } from "./config-text.ts";
import { ask, DEAF_AT_MOST_MS, watchMaster } from "./socket.ts";

const run = promisify(execFile);

const CHECK_WITHIN_MS = 20_000;
const READY_WITHIN_MS = 15_000;
const LOOK_EVERY_MS = 10;
const LOG_FILE = "haproxy.log";
const PID_FILE = "haproxy.pid";
const LOG_LINES_SHOWN = 6;
const LOG_MAX_BYTES = 1024 * 1024;

export interface HaproxyProcessOptions {
  /** It works in here: configuration, sockets, log. */
  readonly directory: string;
  /** The program: a path, or a name that is looked for in PATH. */
  readonly binary: string;
  readonly clock: Clock;
  readonly log: Log;
  /** It ended, and nobody asked it to. */
  readonly onEnd: () => void;
}

/**
 * One HAProxy, a master and its workers. It is not a child that ends with the daemon: it goes on when the daemon ends,
 * however that happens, and the next daemon finds it by its sockets.
 */
export class HaproxyProcess implements Disposable {
  readonly #options: HaproxyProcessOptions;
  #watch: Disposable | undefined;

  constructor(options: HaproxyProcessOptions) {
    this.#options = options;
  }

  /** It is there, as far as its sockets tell. */
  get runs(): boolean {
    return this.#watch !== undefined;
  }

  /** What the program says of its version; absent: there is none. @throws when it cannot be run */
  async version(): Promise<string | undefined> {
    try {
      const { stdout } = await run(this.#options.binary, ["-v"], { timeout: CHECK_WITHIN_MS });
      return /version (\S+)/.exec(stdout)?.[1] ?? "unknown";
    } catch (error) {
      if (isSystemError(error, "ENOENT")) return undefined;
      throw error;
    }
  }

  /** Takes over one that an earlier daemon started. One that is there and does not answer is ended. */
  async adopt(): Promise<boolean> {
    const { directory, log } = this.#options;
    const pid = leftMaster(directory);
    if (pid === undefined) return false;
    if (!(await this.#masterAnswers(pid))) {
      if (isAlive(pid)) process.kill(pid, "SIGKILL");
      return false;
    }
    this.#startWatch(pid);
    log.info({ pid }, "HAProxy runs already and goes on");
    return true;
  }

  /** @throws Refusal */
  async start(config: HaproxyConfig): Promise<void> {
    const { directory, binary } = this.#options;
    makePrivateDirectory(directory);
    await this.#write(config);
    renameSync(join(directory, `${CONFIG_FILE}.new`), join(directory, CONFIG_FILE));
    writeFileSync(join(directory, LOG_FILE), "", { mode: 0o600 });
    const log = openSync(join(directory, LOG_FILE), "a");
    const words = [
      "-W",
      "-S",
      `unix@${MASTER_SOCKET}.sock,mode,600`,
      "-p",
      PID_FILE,
      "-f",
      join(directory, CONFIG_FILE),
    ];
    // The daemon's environment holds tokens and passwords.
    const env = { PATH: process.env["PATH"] ?? "" };
    const child = spawn(binary, words, { cwd: directory, detached: true, stdio: ["ignore", log, log], env });
    closeSync(log);
    const ended = once(child, "exit").then(
      () => true,
      () => true,
    );
    child.unref();
    const pid = child.pid ?? 0;
    if (!(await this.#until(config.structure, ended)) || !(await this.#masterAnswers(pid))) {
      child.kill("SIGKILL");
      throw new Refusal(`HAProxy does not start: ${this.#complaint()}`);
    }
    this.#startWatch(pid);
    this.#removeOldMaps(config);
  }

  /**
   * The new configuration takes over from the one that runs; connections that are there end by themselves.
   * @throws Refusal and everything is as it was
   */
  async reload(config: HaproxyConfig): Promise<void> {
    const { directory } = this.#options;
    const file = join(directory, CONFIG_FILE);
    await this.#write(config);
    const before = readFileSync(file, "utf8");
    const { masterPid, failedReloads: failedBefore } = await this.processes();
    renameSync(`${file}.new`, file);
    // The answer of HAProxy 2.6 is none: it becomes its own successor meanwhile.
    await ask(directory, "master", ["reload"]).catch(() => "");
    const failed = async () => (await this.processes()).failedReloads > failedBefore;
    if (!(await this.#until(config.structure, undefined, failed))) {
      writeFileSync(file, before);
      throw new Refusal(`HAProxy does not take the new configuration: ${this.#complaint()}`);
    }
    await this.#masterAnswers(masterPid);
    this.#removeOldMaps(config);
  }

  async processes(): Promise<Processes> {
    const said = await ask(this.#options.directory, "master", ["show proc"]);
    const processes = parseProcesses(said);
    if (processes === undefined) throw new Error(`HAProxy's master says nothing of its processes: ${said}`);
    return processes;
  }

  /** It tells of each server that comes and goes, and nobody else shortens its log. */
  trimLog(): void {
    const file = join(this.#options.directory, LOG_FILE);
    if (statSync(file).size > LOG_MAX_BYTES) truncateSync(file);
  }

  /** Nothing new is accepted; connections that are there end by themselves, and it ends with the last. */
  async stop(): Promise<void> {
    const found = await this.processes().catch(() => undefined);
    this[Symbol.dispose]();
    if (found !== undefined) process.kill(found.masterPid, "SIGUSR1");
  }

  /** Looks after it no more, and leaves it running. */
  [Symbol.dispose](): void {
    this.#watch?.[Symbol.dispose]();
    this.#watch = undefined;
  }

  #startWatch(pid: number): void {
    this.#watch?.[Symbol.dispose]();
    this.#watch = watchMaster(this.#options.directory, pid, () => {
      this.#watch = undefined;
      this.#options.onEnd();
    });
  }

  /** Puts the configuration beside the one in use, and asks HAProxy itself whether it can be used. */
  async #write(config: HaproxyConfig): Promise<void> {
    const { directory, binary } = this.#options;
    for (const [name, text] of Object.entries(config.maps)) writeFileSync(join(directory, name), text);
    const file = `${CONFIG_FILE}.new`;
    writeFileSync(join(directory, file), config.text, { mode: 0o600 });
    try {
      await run(binary, ["-c", "-f", file], { cwd: directory, timeout: CHECK_WITHIN_MS });
    } catch (error) {
      throw new Refusal(`HAProxy refuses the configuration: ${alertsIn(messageOf(error))}`, {
        cause: error,
      });
    }
  }

  /** False: it did not come to run with that structure. */
  async #until(
    structure: string,
    ended?: Promise<boolean>,
    failed?: () => Promise<boolean>,
  ): Promise<boolean> {
    const { clock, directory } = this.#options;
    let hasEnded = false;
    void ended?.then(() => {
      hasEnded = true;
    });
    const deadlineMs = clock.monotonicMs() + READY_WITHIN_MS;
    while (clock.monotonicMs() < deadlineMs && !hasEnded) {
      const said = await ask(directory, "runtime", ["show info"]).catch(() => "");
      if (parseInfo(said)?.structure === structure) return true;
      if ((await failed?.().catch(() => false)) === true) return false;
      await sleep(LOOK_EVERY_MS);
    }
    return false;
  }

  /** After a start and a reload the master is deaf for a moment. */
  async #masterAnswers(pid: number): Promise<boolean> {
    const { clock } = this.#options;
    const deadlineMs = clock.monotonicMs() + DEAF_AT_MOST_MS;
    while (isAlive(pid) && clock.monotonicMs() < deadlineMs) {
      const found = await this.processes().catch(() => undefined);
      if (found !== undefined) return true;
      await sleep(LOOK_EVERY_MS);
    }
    return false;
  }

  #complaint(): string {
    return alertsIn(readFileSync(join(this.#options.directory, LOG_FILE), "utf8"));
  }

  #removeOldMaps(config: HaproxyConfig): void {
    const { directory } = this.#options;
    for (const name of readdirSync(directory)) {
      if (name.endsWith(".map") && !Object.hasOwn(config.maps, name)) rmSync(join(directory, name));
    }
  }
}

/** The master that the file names, if it is one that works in this directory. */
export function leftMaster(directory: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(directory, PID_FILE), "utf8"));
    const isOurs = pid > 0 && realpathSync(`/proc/${pid}/cwd`) === realpathSync(directory);
    return isOurs ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** What it complained of last, without what leads each of its lines. */
function alertsIn(text: string): string {
  const alerts = text.split("\n").filter((line) => line.includes("[ALERT]"));
  const said = alerts.map((line) => line.replace(/^\[ALERT\]\s*\S*\s*\(\d+\) : (?:config : )?/, ""));
  return said.slice(-LOG_LINES_SHOWN).join("; ") || text.trim().slice(-300) || "it says nothing";
}
