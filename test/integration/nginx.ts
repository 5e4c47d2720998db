import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { text } from "node:stream/consumers";

/** Debian's own places for `nginx-light` and `wrk`. */
const NGINX = "/usr/sbin/nginx";
const WRK = "/usr/bin/wrk";
const NO_NGINX = `no ${NGINX} or no ${WRK}: run \`npm run lab -- up\``;

/** What to run where a shell's line is wanted. */
export const NGINX_PROGRAM = NGINX;

/** As `skipWithoutEngine`. */
export function skipWithoutNginx(): string | false {
  if (existsSync(NGINX) && existsSync(WRK)) return false;
  if (process.env["FLYBALL_REQUIRE_ENGINE"] === "1") throw new Error(NO_NGINX);
  return NO_NGINX;
}

/** A real nginx with a `nginx.conf` in a directory of its own. */
export class Nginx implements AsyncDisposable {
  /** What it complained of. */
  complaints = "";
  readonly #child: ChildProcess;

  constructor(directory: string) {
    const words = ["-p", directory, "-c", "nginx.conf", "-g", "daemon off;"];
    this.#child = spawn(NGINX, words, { stdio: ["ignore", "ignore", "pipe"] });
    this.#child.stderr?.on("data", (chunk) => (this.complaints += chunk));
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.isRunning) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    await ended;
  }
}

export interface LoadReport {
  readonly requests: number;
  /** Answers of a status of 400 or more, and none at all. */
  readonly failed: number;
  /** By `connect`, `read`, `write`, `timeout`. */
  readonly socketErrors: Readonly<Record<string, number>>;
  readonly text: string;
}

/**
 * Load by wrk until it is stopped, in its own count. A connection for each request: an nginx of this age cuts those
 * that are kept and idle at each reload, whoever told it to.
 */
export function startLoad(url: string, connections = 16): { stop(): Promise<LoadReport> } {
  const words = ["-t1", `-c${connections}`, "-d300s", "--timeout", "5s", "-H", "Connection: close", url];
  const child = spawn(WRK, words, { stdio: ["ignore", "pipe", "inherit"] });
  const printed = text(child.stdout);
  const ended = once(child, "exit");
  return {
    async stop() {
      child.kill("SIGINT");
      await ended;
      return readReport(await printed);
    },
  };
}

function readReport(printed: string): LoadReport {
  const count = (pattern: RegExp) => Number(pattern.exec(printed)?.[1] ?? 0);
  const errors = /Socket errors: (.*)$/m.exec(printed)?.[1] ?? "";
  const socketErrors = Object.fromEntries(
    errors.split(", ").flatMap((error): [string, number][] => {
      const [name, value] = error.split(" ");
      return name === undefined || value === undefined ? [] : [[name, Number(value)]];
    }),
  );
  const requests = count(/(\d+) requests in/);
  return { requests, failed: count(/Non-2xx or 3xx responses: (\d+)/), socketErrors, text: printed };
}
