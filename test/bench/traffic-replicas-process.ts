import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { createInterface } from "node:readline";

/**
 * Programs that serve, many of them in one process. A line `open NAME` starts one and is answered by `opened NAME PORT`;
 * `close NAME` ends it with every connection that it has, as a stop does, and is answered by
 * `closed NAME FIRST LAST CONNECTIONS`: when its first and its last request came, and what it had left. A `who` on a
 * websocket is answered by the name.
 */
interface Program {
  readonly server: Server;
  readonly sockets: Set<Socket>;
  firstAtMs: number;
  lastAtMs: number;
}

/** The pair of RFC 6455's example, which HAProxy finds right. */
const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const programs = new Map<string, Program>();

function open(name: string): void {
  const program: Program = { server: createServer(), sockets: new Set(), firstAtMs: 0, lastAtMs: 0 };
  const { server, sockets } = program;
  server.on("request", (_, response) => {
    program.lastAtMs = Date.now();
    program.firstAtMs ||= program.lastAtMs;
    response.end("ok");
  });
  server.keepAliveTimeout = 120_000;
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("upgrade", (_, socket) => {
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n\r\n`,
    );
    socket.on("data", () => socket.write(name));
    socket.on("end", () => socket.end());
    socket.on("error", () => {});
  });
  server.listen(0, "127.0.0.1", () => say("opened", name, (server.address() as AddressInfo).port));
  programs.set(name, program);
}

function close(name: string): void {
  const program = programs.get(name);
  if (program === undefined) return;
  programs.delete(name);
  const { server, sockets, firstAtMs, lastAtMs } = program;
  server.close();
  const left = sockets.size;
  for (const socket of sockets) socket.destroy();
  say("closed", name, firstAtMs, lastAtMs, left);
}

function say(...words: readonly (string | number)[]): void {
  process.stdout.write(`${words.join(" ")}\n`);
}

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const [verb, name = ""] = line.split(" ");
    if (verb === "open") open(name);
    else close(name);
  })
  .on("close", () => process.exit(0));
