import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect, createServer as createTcpServer, Socket, type Server as TcpServer } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { createProxyServer, type ProxyServer } from "httpxy";
import { isForPerson, STILL_ASLEEP, WAITING_PAGE } from "./waiting-page.ts";
import type { Place, WaitingRoom } from "./waiting-room.ts";

/** How long who came is held. */
export interface Patience {
  /** Before a person is shown that it takes a moment. */
  readonly personMs: number;
  readonly programMs: number;
}

/** One listening address of this machine, for one port of one service. */
export interface Door extends AsyncDisposable {
  readonly port: number;
  /** Passed on, and not ended yet. */
  readonly open: number;
}

const HERE = "127.0.0.1";
const TRY_AGAIN_AFTER_MS = 50;

export async function openHttpDoor(room: WaitingRoom, patience: Patience, port: number): Promise<Door> {
  const proxy = createProxyServer({});
  const open = new Set<ServerResponse | Duplex>();
  const hold = (passed: ServerResponse | Duplex) => {
    open.add(passed);
    passed.once("close", () => open.delete(passed));
  };
  const server = createServer((request, response) => {
    hold(response);
    void answer({ proxy, room, patience }, request, response);
  });
  server.on("upgrade", (request, socket, head) => {
    hold(socket);
    void upgrade({ proxy, room, patience }, request, socket, head);
  });
  // Of requests that are held for long the client decides, and the balancer before it.
  server.requestTimeout = 0;
  return listening(server, port, () => open.size);
}

interface Holding {
  readonly proxy: ProxyServer;
  readonly room: WaitingRoom;
  readonly patience: Patience;
}

async function answer(
  { proxy, room, patience }: Holding,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const person = isForPerson(request.method, request.headers);
  const patienceMs = person ? patience.personMs : patience.programMs;
  const place = await placeThatListens(room, patienceMs, leaving(response));
  if (response.destroyed) return;
  if (place === undefined) return refuse(response, person);
  try {
    await proxy.web(request, response, { target: { protocol: "http:", ...place } });
  } catch {
    if (response.headersSent) response.destroy();
    else refuse(response, person);
  }
}

function refuse(response: ServerResponse, person: boolean): void {
  const { headers, text } = person ? WAITING_PAGE : STILL_ASLEEP;
  response.writeHead(503, headers).end(text);
}

async function upgrade(
  { proxy, room, patience }: Holding,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  socket.on("error", () => socket.destroy());
  const place = await placeThatListens(room, patience.programMs, leaving(socket));
  if (socket.destroyed || !(socket instanceof Socket)) return;
  if (place === undefined) {
    socket.end("HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\n\r\n");
    return;
  }
  try {
    await proxy.ws(request, socket, { target: { protocol: "http:", ...place } }, head);
  } catch {
    socket.destroy();
  }
}

export async function openTcpDoor(room: WaitingRoom, patience: Patience, port: number): Promise<Door> {
  const open = new Set<Socket>();
  const server = createTcpServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    socket.on("error", () => socket.destroy());
    void placeThatListens(room, patience.programMs, leaving(socket)).then((place) => {
      if (place === undefined || socket.destroyed) {
        socket.destroy();
        return;
      }
      const inside = connect({ ...place, allowHalfOpen: true });
      inside.on("error", () => socket.destroy());
      socket.once("close", () => inside.destroy());
      inside.once("close", () => socket.destroy());
      socket.pipe(inside).pipe(socket);
    });
  });
  return listening(server, port, () => open.size);
}

/**
 * Without a probe a replica counts as ready as soon as it runs, and may listen only a moment later: nothing was sent
 * yet, so it is tried again.
 */
async function placeThatListens(
  room: WaitingRoom,
  patienceMs: number,
  left: AbortSignal,
): Promise<Place | undefined> {
  const deadlineMs = performance.now() + patienceMs;
  for (;;) {
    const remainingMs = deadlineMs - performance.now();
    if (remainingMs <= 0 || left.aborted) return undefined;
    const place = await room.enter(remainingMs, left);
    if (place === undefined || (await listens(place))) return place;
    await sleep(TRY_AGAIN_AFTER_MS);
  }
}

function listens(place: Place): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(place);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/** Aborted when whoever came has left. */
function leaving(connection: ServerResponse | Duplex): AbortSignal {
  const left = new AbortController();
  connection.once("close", () => left.abort());
  return left.signal;
}

async function listening(server: Server | TcpServer, port: number, open: () => number): Promise<Door> {
  const listen = (wanted: number) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", reject);
    server.listen({ host: HERE, port: wanted }, () => {
      server.off("error", reject);
      resolve();
    });
    return promise;
  };
  // The one that the balancer still has from before; when it is taken, another one, that the balancer is told.
  await listen(port).catch(() => listen(0));
  server.on("error", () => {});
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : port,
    get open() {
      return open();
    },
    async [Symbol.asyncDispose]() {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      if ("closeIdleConnections" in server) server.closeIdleConnections();
      // What is passed on goes on until its own end; nobody new comes in.
      if (open() === 0) await promise;
    },
  };
}
