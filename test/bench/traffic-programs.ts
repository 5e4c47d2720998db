import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

interface Closed {
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  readonly left: number;
}

/** Programs that serve, in a process of their own, so that what they do is not in the way of what is measured. */
export class Programs implements AsyncDisposable {
  readonly readyAtMs = new Map<string, number>();
  readonly #child: ChildProcess;
  readonly #ports = new Map<string, number>();
  readonly #answers = new Map<string, (words: readonly string[]) => void>();

  private constructor(child: ChildProcess) {
    this.#child = child;
    if (child.stdout === null) throw new Error("the programs have no output");
    createInterface({ input: child.stdout }).on("line", (line) => {
      const [verb, name, ...words] = line.split(" ");
      this.#answers.get(`${verb} ${name}`)?.(words);
    });
  }

  static async start(): Promise<Programs> {
    const child = spawn(process.execPath, [join(import.meta.dirname, "traffic-replicas-process.ts")], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    await once(child, "spawn");
    return new Programs(child);
  }

  portOf(name: string): number {
    return this.#ports.get(name) ?? 0;
  }

  async open(name: string): Promise<void> {
    const [port] = await this.#ask("open", "opened", name);
    this.#ports.set(name, Number(port));
  }

  async close(name: string): Promise<Closed> {
    const [firstAtMs = 0, lastAtMs = 0, left = 0] = (await this.#ask("close", "closed", name)).map(Number);
    return { firstAtMs, lastAtMs, left };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.stdin?.end();
    await ended;
  }

  #ask(verb: string, answer: string, name: string): Promise<readonly string[]> {
    const { promise, resolve } = Promise.withResolvers<readonly string[]>();
    this.#answers.set(`${answer} ${name}`, resolve);
    this.#child.stdin?.write(`${verb} ${name}\n`);
    return promise;
  }
}
