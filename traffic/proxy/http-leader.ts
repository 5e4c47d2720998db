import { type ClientRequest, type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { createProxyServer } from "httpxy";
import type { Clock } from "../../core/clock.ts";
import { HOUR_MS } from "../../core/units.ts";
import { attempts } from "./attempts.ts";
import type { ProxyBackend } from "./backend.ts";
import { answerHeaders, passOn } from "./headers.ts";
import { Leading } from "./leading.ts";
import { Connections, NotReached, reach } from "./reach.ts";
import type { ProxyServer } from "./server.ts";

/** A websocket may be silent for so long. */
export const TUNNEL_MS = 12 * HOUR_MS;
const MAY_BE_SENT_TWICE = new Set(["GET", "HEAD", "OPTIONS"]);
const REASONS: Readonly<Record<number, string>> = {
  404: "No service answers for this host and path.",
  502: "The replica has ended before it has answered.",
  503: "No replica of the service can be reached.",
  504: "The replica has not answered in time.",
};

/** Leads requests and websockets to replicas, and their answers back. */
export class HttpLeader {
  readonly #clock: Clock;
  readonly #proxy = createProxyServer({ selfHandleResponse: true });
  readonly #underWay = new WeakMap<IncomingMessage, Leading>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#proxy.on("proxyReq", (asked, request) => this.#sends(asked, request));
    this.#proxy.on("proxyRes", (answer, request, response) => this.#answers(answer, request, response));
    this.#proxy.on("proxyReqWs", (asked, request, socket) => this.#upgrades(asked, request, socket));
    this.#proxy.on("open", (upstream) => {
      upstream.setTimeout(TUNNEL_MS, () => upstream.destroy());
    });
  }

  /** Resolves when the answer has reached the client, or the client has left. */
  async web(backend: ProxyBackend, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const leading = this.#begin(backend, request, false);
    const isOver = () => response.destroyed;
    const twice = mayBeSentTwice(request);
    let status = 503;
    try {
      for await (const server of attempts(backend, leading.mark, isOver)) {
        const failure = await this.#ask(leading, server, request, response, twice);
        if (failure === undefined || response.headersSent || isOver()) return;
        status = failure instanceof NotReached ? 503 : leading.isTooLate ? 504 : 502;
        if (status === 504 || (status === 502 && !twice)) break;
      }
      if (isOver()) return;
      leading.isRefused();
      refuse(response, status);
    } finally {
      leading.isOver();
    }
  }

  /** Resolves when the websocket is over. */
  async websocket(
    backend: ProxyBackend,
    request: IncomingMessage,
    socket: Socket,
    head: Buffer,
  ): Promise<void> {
    const leading = this.#begin(backend, request, true);
    const isOver = () => socket.destroyed;
    try {
      for await (const server of attempts(backend, leading.mark, isOver)) {
        if (await this.#openWebsocket(leading, server, request, socket, head)) return;
      }
      if (isOver()) return;
      leading.isRefused();
      refuseUpgrade(socket, 503);
    } finally {
      leading.isOver();
    }
  }

  #begin(backend: ProxyBackend, request: IncomingMessage, isUpgrade: boolean): Leading {
    const leading = new Leading(backend, request, this.#clock);
    passOn(request.headers, request.socket.remoteAddress, isUpgrade);
    this.#underWay.set(request, leading);
    return leading;
  }

  /** @returns why there was no answer */
  async #ask(
    leading: Leading,
    server: ProxyServer,
    request: IncomingMessage,
    response: ServerResponse,
    twice: boolean,
  ): Promise<unknown> {
    const isUnanswered = () => !response.headersSent && !response.destroyed;
    const send = (mayReuse: boolean) =>
      this.#proxy
        .web(request, response, {
          target: targetOf(server),
          agent: server.connections(mayReuse),
          proxyTimeout: leading.backend.policy.timeoutMs,
        })
        .then(
          () => undefined,
          (error: unknown) => error,
        );
    leading.beginsAt(server);
    let failure = await send(twice);
    // A connection that it was about to close for being idle says nothing of the replica.
    const wasStale = failure !== undefined && leading.isReused && !leading.isTooLate;
    if (wasStale && isUnanswered()) failure = await send(false);
    if (failure !== undefined && isUnanswered()) leading.failsAt(server);
    leading.endsAt(server);
    return failure;
  }

  #sends(asked: ClientRequest, request: IncomingMessage): void {
    const leading = this.#underWay.get(request);
    if (leading === undefined) return;
    leading.isReused = asked.reusedSocket;
    asked.on("timeout", () => {
      leading.isTooLate = true;
    });
  }

  #answers(answer: IncomingMessage, request: IncomingMessage, response: ServerResponse): void {
    const leading = this.#underWay.get(request);
    if (leading === undefined) return;
    const status = answer.statusCode ?? 502;
    const headers = leading.answered(status, answerHeaders(answer.headers));
    answer.once("close", () => {
      if (!answer.complete && !response.destroyed && status < 500) leading.breaks();
    });
    try {
      response.writeHead(status, answer.statusMessage, headers);
      answer.pipe(response);
    } catch {
      // An answer that HTTP does not know, as one with a line break in a header.
      answer.destroy();
      leading.breaks();
      refuse(response, 502);
    }
  }

  /** False: the server cannot be reached, and another one may be tried. */
  async #openWebsocket(
    leading: Leading,
    server: ProxyServer,
    request: IncomingMessage,
    socket: Socket,
    head: Buffer,
  ): Promise<boolean> {
    leading.beginsAt(server);
    try {
      // By ourselves: after a connection that fails there is nobody left to give to another server.
      const upstream = await reach(server);
      if (socket.destroyed) {
        upstream.destroy();
        return true;
      }
      const agent = Connections.only(upstream);
      // What ends it is told to the client, or has come from it.
      await this.#proxy.ws(request, socket, { target: targetOf(server), agent }, head).catch(() => {});
      return true;
    } catch {
      leading.failsAt(server);
      return false;
    } finally {
      leading.endsAt(server);
    }
  }

  #upgrades(asked: ClientRequest, request: IncomingMessage, socket: Socket): void {
    const leading = this.#underWay.get(request);
    if (leading === undefined) return;
    let isAnswered = false;
    socket.once("close", () => asked.destroy());
    asked.once("upgrade", (answer, upstream) => {
      isAnswered = true;
      Object.assign(answer.headers, leading.answered(101, answer.headers));
      socket.once("close", () => upstream.destroy());
    });
    asked.once("response", (answer) => {
      isAnswered = true;
      leading.answered(answer.statusCode ?? 502, {});
    });
    asked.setTimeout(leading.backend.policy.timeoutMs, () => {
      leading.isTooLate = true;
      asked.destroy();
    });
    asked.once("error", () => {
      if (isAnswered || socket.destroyed) return;
      leading.breaks();
      refuseUpgrade(socket, leading.isTooLate ? 504 : 502);
    });
  }
}

export function refuse(response: ServerResponse, status: number): void {
  const text = `${REASONS[status] ?? ""}\n`;
  response
    .writeHead(status, { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" })
    .end(text);
}

export function refuseUpgrade(socket: Socket, status: number): void {
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** And has no body, which is gone when it was sent once. */
function mayBeSentTwice({ method = "", headers }: IncomingMessage): boolean {
  const hasBody = headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
  return MAY_BE_SENT_TWICE.has(method) && !hasBody;
}

function targetOf({ host, port }: ProxyServer) {
  return { protocol: "http:", host, port };
}
