import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import type { Clock } from "../../core/clock.ts";
import type { ProxyBackend } from "./backend.ts";
import { cookieFor, type Sticky, takeCookie } from "./cookie.ts";
import type { ProxyServer } from "./server.ts";

/** One request on its way: where it is tried now, and what is counted of it. */
export class Leading {
  readonly backend: ProxyBackend;
  readonly #clock: Clock;
  readonly #beganMs: number;
  readonly #sticky: Sticky | undefined;
  /** The replica said nothing for as long as it may. */
  isTooLate = false;
  /** It was sent over a connection that had been idle. */
  isReused = false;
  #server: ProxyServer | undefined;
  #isCounted = false;

  /** Takes the cookie of the back-end out of the request. */
  constructor(backend: ProxyBackend, request: IncomingMessage, clock: Clock) {
    this.backend = backend;
    this.#clock = clock;
    this.#beganMs = clock.monotonicMs();
    if (!backend.policy.sticky) return;
    const { sticky, rest } = takeCookie(request.headers.cookie, backend.name, clock.nowMs());
    this.#sticky = sticky;
    if (rest === undefined) delete request.headers.cookie;
    else request.headers.cookie = rest;
  }

  /** Of the server that the client sticks to. */
  get mark(): string | undefined {
    return this.#sticky?.mark;
  }

  /** A server is tried. */
  beginsAt(server: ProxyServer): void {
    this.#server = server;
    this.isTooLate = false;
    this.isReused = false;
    if (!this.backend.isCounted(server)) return;
    this.#count();
    server.tally.begin();
  }

  /** What was tried is over. */
  endsAt(server: ProxyServer): void {
    if (this.backend.isCounted(server)) server.tally.end();
  }

  /** The head of an answer has come. @returns what the client is told beside what the replica says */
  answered(status: number, headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
    const server = this.#server;
    if (server === undefined || !this.backend.isCounted(server)) return headers;
    server.answered(this.#clock.monotonicMs() - this.#beganMs);
    if (status >= 500) this.breaks();
    return this.#withCookie(server, headers);
  }

  /** The server answers with a failure, or its answer has no end. */
  breaks(): void {
    if (this.#server === undefined || !this.backend.isCounted(this.#server)) return;
    this.#server.tally.errors += 1;
    this.backend.tally.errors += 1;
  }

  /** The server has failed, and somebody else may be asked. */
  failsAt(server: ProxyServer): void {
    if (this.backend.isCounted(server)) server.tally.errors += 1;
  }

  /** Nobody answers it. */
  isRefused(): void {
    this.#count();
    this.backend.tally.errors += 1;
  }

  isOver(): void {
    if (this.#isCounted) this.backend.tally.end();
  }

  #count(): void {
    if (!this.#isCounted) this.backend.tally.begin();
    this.#isCounted = true;
  }

  #withCookie(server: ProxyServer, headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
    if (!this.backend.policy.sticky) return headers;
    const cookie = cookieFor(this.backend.name, server.mark, this.#sticky, this.#clock.nowMs());
    if (cookie === undefined) return headers;
    const [set, control] = [headers["set-cookie"], headers["cache-control"]];
    return {
      ...headers,
      "set-cookie": [...(Array.isArray(set) ? set : []), cookie],
      // It is one client's, and no cache gives it to another.
      "cache-control": control === undefined ? "private" : `${control}, private`,
    };
  }
}
