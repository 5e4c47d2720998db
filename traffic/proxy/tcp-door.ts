import { createServer, type Server, type Socket } from "node:net";
import type { Front } from "../table.ts";
import { attempts } from "./attempts.ts";
import type { ProxyBackend } from "./backend.ts";
import { type Backends, closed, type Door, listen } from "./door.ts";
import { TUNNEL_MS } from "./http-leader.ts";
import { reach } from "./reach.ts";
import type { ProxyServer } from "./server.ts";

/** An address whose connections are passed on as they are. */
export class TcpDoor implements Door {
  readonly #server: Server;
  readonly #backends: Backends;
  readonly #open = new Set<Socket>();
  #backend: string | undefined;

  private constructor(front: Front, backends: Backends) {
    this.#backends = backends;
    this.#backend = front.routes[0]?.backend;
    this.#server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#open.add(socket);
      socket.once("close", () => this.#open.delete(socket));
      socket.on("error", () => socket.destroy());
      const backend = this.#backends.get(this.#backend ?? "");
      if (backend === undefined) socket.destroy();
      else void lead(backend, socket);
    });
  }

  /** @throws Refusal */
  static async open(front: Front, backends: Backends): Promise<TcpDoor> {
    const door = new TcpDoor(front, backends);
    await listen(door.#server, front);
    return door;
  }

  lead(routes: Front["routes"]): void {
    this.#backend = routes[0]?.backend;
  }

  close(): Promise<void> {
    return closed(this.#server);
  }

  async end(): Promise<void> {
    void this.close();
    for (const socket of this.#open) socket.destroy();
  }
}

async function lead(backend: ProxyBackend, socket: Socket): Promise<void> {
  let isCounted = false;
  const count = () => {
    if (!isCounted) backend.tally.begin();
    isCounted = true;
  };
  for await (const server of attempts(backend, undefined, () => socket.destroyed)) {
    const tallied = backend.isCounted(server);
    if (tallied) {
      count();
      server.tally.begin();
    }
    const hasLed = await passOn(server, socket, backend.policy.timeoutMs);
    if (tallied) server.tally.end();
    if (tallied && !hasLed) server.tally.errors += 1;
    if (hasLed) break;
  }
  if (!socket.destroyed) {
    count();
    backend.tally.errors += 1;
    socket.destroy();
  }
  if (isCounted) backend.tally.end();
}

/** Resolves when both sides have ended. False: the server cannot be reached. */
async function passOn(server: ProxyServer, socket: Socket, timeoutMs: number): Promise<boolean> {
  const inside = await reach(server, { allowHalfOpen: true }).catch(() => undefined);
  if (inside === undefined) return false;
  const { promise, resolve } = Promise.withResolvers<true>();
  inside.on("error", () => inside.destroy());
  inside.once("close", () => {
    socket.destroy();
    resolve(true);
  });
  socket.once("close", () => inside.destroy());
  if (socket.destroyed) inside.destroy();
  inside.setTimeout(timeoutMs, () => {
    const isTunnel = inside.bytesRead > 0 && inside.bytesWritten > 0;
    if (!isTunnel || inside.timeout === TUNNEL_MS) inside.destroy();
    else inside.setTimeout(TUNNEL_MS);
  });
  socket.pipe(inside).pipe(socket);
  return await promise;
}
