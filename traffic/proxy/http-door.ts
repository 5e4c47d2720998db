import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { MINUTE_MS, SECOND_MS } from "../../core/units.ts";
import type { Front } from "../table.ts";
import type { ProxyBackend } from "./backend.ts";
import { type Backends, closed, type Door, listen } from "./door.ts";
import { type HttpLeader, refuse, refuseUpgrade } from "./http-leader.ts";
import { Routes } from "./routes.ts";

const LOOK_EVERY_MS = 20;
/** As long as HAProxy. */
const TIMES = {
  headersTimeout: 10 * SECOND_MS,
  keepAliveTimeout: MINUTE_MS,
  // Of a body that takes long the replica decides.
  requestTimeout: 0,
};

/** An address where HTTP is spoken, websockets among it. */
export class HttpDoor implements Door {
  readonly #server: Server;
  readonly #leader: HttpLeader;
  readonly #backends: Backends;
  readonly #websockets = new Set<Socket>();
  #routes: Routes;
  #requests = 0;
  #isClosing = false;

  private constructor(front: Front, backends: Backends, leader: HttpLeader) {
    this.#backends = backends;
    this.#leader = leader;
    this.#routes = new Routes(front.routes);
    this.#server = createServer({
      ...TIMES,
      noDelay: true,
      // Every other protocol that is offered is not taken up, and the request is one like others.
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === "websocket",
    });
    this.#server.on("request", (request, response) => void this.#answer(request, response));
    this.#server.on("upgrade", (request, socket, head) => {
      if (socket instanceof Socket) void this.#upgrade(request, socket, head);
      else socket.destroy();
    });
  }

  /** @throws Refusal */
  static async open(front: Front, backends: Backends, leader: HttpLeader): Promise<HttpDoor> {
    const door = new HttpDoor(front, backends, leader);
    await listen(door.#server, front);
    return door;
  }

  lead(routes: Front["routes"]): void {
    this.#routes = new Routes(routes);
  }

  close(): Promise<void> {
    this.#isClosing = true;
    const end = closed(this.#server);
    this.#server.closeIdleConnections();
    return end;
  }

  async end(withinMs: number): Promise<void> {
    void this.close();
    for (const socket of this.#websockets) socket.destroy();
    const deadlineMs = performance.now() + withinMs;
    while (this.#requests > 0 && performance.now() < deadlineMs) await sleep(LOOK_EVERY_MS);
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#isClosing) response.shouldKeepAlive = false;
    const backend = this.#backendOf(request);
    if (backend === undefined) {
      refuse(response, 404);
      return;
    }
    this.#requests += 1;
    await this.#leader.web(backend, request, response);
    this.#requests -= 1;
  }

  async #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    socket.on("error", () => socket.destroy());
    const backend = this.#backendOf(request);
    if (backend === undefined) {
      refuseUpgrade(socket, 404);
      return;
    }
    this.#websockets.add(socket);
    await this.#leader.websocket(backend, request, socket, head);
    this.#websockets.delete(socket);
  }

  #backendOf({ headers, url = "/" }: IncomingMessage): ProxyBackend | undefined {
    return this.#backends.get(this.#routes.backendOf(headers.host, url) ?? "");
  }
}
