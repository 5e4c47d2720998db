import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";

const CONNECTIONS = 32;

/** What the load's own tool says of it. */
export interface WrkReport {
  readonly requests: number;
  readonly perSecond: number;
  readonly failed: number;
}

/** Load until it is told to end. */
export class Wrk implements Disposable {
  readonly #child: ChildProcessByStdio<null, Readable, null>;
  readonly #said: Promise<string>;

  constructor(url: string) {
    this.#child = spawn("wrk", ["-t1", `-c${CONNECTIONS}`, "-d1h", url], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#said = text(this.#child.stdout);
  }

  /** It tells what it saw when it is interrupted. */
  async end(): Promise<WrkReport> {
    this.#child.kill("SIGINT");
    return parseWrk(await this.#said);
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }
}

function parseWrk(said: string): WrkReport {
  const number = (pattern: RegExp) => Number(pattern.exec(said)?.[1] ?? 0);
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(said) ?? [];
  const sockets = errors.slice(1).reduce((sum, count) => sum + Number(count), 0);
  return {
    requests: number(/(\d+) requests in/),
    perSecond: number(/Requests\/sec:\s+([\d.]+)/),
    failed: sockets + number(/Non-2xx or 3xx responses: (\d+)/),
  };
}
