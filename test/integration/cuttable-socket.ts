import { once } from "node:events";
import { rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";

/** A Unix socket in front of another, which can be cut and joined again as an engine that goes away and comes back. */
export class CuttableSocket implements AsyncDisposable {
  readonly path: string;
  readonly #target: string;
  readonly #open = new Set<Socket>();
  #server: Server | undefined;

  constructor(path: string, target: string) {
    this.path = path;
    this.#target = target;
  }

  async join(): Promise<void> {
    const server = createServer((client) => {
      const engine = connect(this.#target);
      for (const [from, to] of [
        [client, engine],
        [engine, client],
      ] as const) {
        this.#open.add(from);
        from.on("error", () => to.destroy());
        from.on("close", () => {
          this.#open.delete(from);
          to.destroy();
        });
        from.pipe(to);
      }
    });
    this.#server = server;
    server.listen(this.path);
    await once(server, "listening");
  }

  async cut(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = once(server, "close");
    server.close();
    for (const socket of this.#open) socket.destroy();
    await closed;
    rmSync(this.path, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cut();
  }
}
