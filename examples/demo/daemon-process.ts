import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ERRORS } from "../../core/errors.ts";

const CLI = resolve(import.meta.dirname, "../../cli/main.ts");
/** The demo's own, so that no setting of the user's has a say. */
const CONFIG = "flyball.yaml";
const STOP_TIMEOUT_MS = 10_000;
const MOST_REMOVALS = 10;

export interface DaemonOptions {
  readonly engine: "process" | "docker";
  readonly composeFile: string;
  /** The text of its configuration. */
  readonly config: string;
  /** As `DOCKER_HOST`; absent: the engine's own default. */
  readonly dockerHost?: string;
}

/** A daemon of the demo's own: its own data directory, its own port, nothing of the user's settings. */
export class DaemonProcess {
  readonly url: string;
  readonly directory: string;
  readonly logFile: string;
  readonly #options: DaemonOptions;
  readonly #child: ChildProcess;

  private constructor(options: DaemonOptions, directory: string, port: number) {
    this.#options = options;
    this.directory = directory;
    this.url = `http://127.0.0.1:${port}`;
    this.logFile = join(directory, "daemon.log");
    writeFileSync(join(directory, CONFIG), options.config);
    this.#child = this.#flyball(["up", "-f", options.composeFile]);
  }

  static async start(options: DaemonOptions): Promise<DaemonProcess> {
    const port = await freePort();
    const daemon = new DaemonProcess(options, mkdtempSync(join(tmpdir(), "flyball-demo-")), port);
    await once(daemon.#child, "spawn");
    return daemon;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get #dataDirectory(): string {
    return join(this.directory, "data");
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** @throws Error with its last log lines, when the daemon has ended */
  assertRunning(): void {
    if (!this.hasEnded) return;
    const how = this.#child.signalCode ?? `status ${this.#child.exitCode}`;
    throw new Error(`the daemon ended (${how}); its last lines:\n${this.lastLines(15)}`);
  }

  lastLines(count: number): string {
    return readFileSync(this.logFile, "utf8").trimEnd().split("\n").slice(-count).join("\n");
  }

  /**
   * Ends the daemon, by force when it does not end by itself, then removes the project and all that the demo wrote.
   * In this order it is right at any moment: while the daemon is still being given the project, and after it died.
   */
  async remove(project: string): Promise<void> {
    if (!this.hasEnded) {
      const ended = once(this.#child, "exit");
      this.#child.kill("SIGTERM");
      if ((await Promise.race([ended, sleep(STOP_TIMEOUT_MS, undefined, { ref: false })])) === undefined) {
        this.#child.kill("SIGKILL");
        await ended;
      }
    }
    await this.#removeProject(project);
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #removeProject(project: string): Promise<void> {
    // A removal has ended when the project is no longer known, and not before.
    for (let attempt = 0; attempt < MOST_REMOVALS; attempt += 1) {
      const [status] = await once(this.#flyball(["down", "-p", project]), "exit");
      if (status === ERRORS.NOT_FOUND.exit) return;
    }
    throw new Error(
      `the project ${project} could not be removed; try again with: ` +
        `npm run flyball -- down -p ${project} --data-dir ${this.#dataDirectory}\n${this.lastLines(5)}`,
    );
  }

  /** Lets the demo end while the daemon goes on. */
  leave(): void {
    this.#child.unref();
  }

  #flyball(words: readonly string[]): ChildProcess {
    const { engine, dockerHost } = this.#options;
    const listen = this.url.slice("http://".length);
    const flags = ["--engine", engine, "--data-dir", this.#dataDirectory, "--listen", listen];
    const log = openSync(this.logFile, "a");
    try {
      return spawn(process.execPath, [CLI, ...words, ...flags], {
        stdio: ["ignore", log, log],
        env: {
          ...withoutSettings(process.env),
          FLYBALL_CONFIG: join(this.directory, CONFIG),
          // The shop says `node`, and means the one that runs this.
          PATH: [dirname(process.execPath), process.env["PATH"]].join(delimiter),
          ...(dockerHost === undefined ? {} : { DOCKER_HOST: dockerHost }),
        },
        // A group of its own: Ctrl-C is for the demo, which then ends the daemon in order.
        detached: true,
      });
    } finally {
      closeSync(log);
    }
  }
}

function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith("FLYBALL_")));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("expected a TCP port");
  return address.port;
}
