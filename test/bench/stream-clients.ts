import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";

const PROGRAM = join(import.meta.dirname, "stream-clients-process.ts");

/** What came to all clients together. */
export interface Received {
  readonly frames: number;
  readonly bytes: number;
  /** Clients that were let go, or left. */
  readonly closed: number;
}

/** Clients of a stream that listen to everything, in a process of their own. */
export class StreamClients implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #lines: Interface;

  private constructor(child: ChildProcess, lines: Interface) {
    this.#child = child;
    this.#lines = lines;
  }

  /** Resolves when all of them listen. */
  static async open(address: string, count: number): Promise<StreamClients> {
    const url = `${address.replace("http", "ws")}/v1/stream`;
    const child = spawn(process.execPath, [PROGRAM, url, String(count)], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const clients = new StreamClients(child, createInterface({ input: child.stdout }));
    await clients.#line();
    return clients;
  }

  /** Since the last time. */
  async received(): Promise<Received> {
    const line = this.#line();
    this.#child.stdin?.write("count\n");
    const [frames = 0, bytes = 0, closed = 0] = (await line).split(" ").map(Number);
    return { frames, bytes, closed };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.stdin?.end();
    await ended;
  }

  async #line(): Promise<string> {
    const [line] = await Promise.race([
      once(this.#lines, "line"),
      once(this.#child, "exit").then(() => Promise.reject(new Error("the clients have ended"))),
    ]);
    return String(line);
  }
}
