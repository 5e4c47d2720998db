import { Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";

/** What came of a request: `again` may work later, `never` will not. */
export type Delivery =
  | { readonly outcome: "taken" }
  | { readonly outcome: "again"; readonly reason: string; readonly waitMs?: number }
  | { readonly outcome: "never"; readonly reason: string };

const TIMEOUT_MS = 30_000;
const REASON_LENGTH = 300;
const TOO_MANY_REQUESTS = 429;

/** One remote-write endpoint. What is secret in its address is in no text that comes from here. */
export class Receiver implements Disposable {
  readonly #url: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #isSecure: boolean;

  constructor(options: { url: string; token?: string; userAgent: string }) {
    this.#url = new URL(options.url);
    const authorization = authorizationOf(this.#url, options.token);
    this.#isSecure = this.#url.protocol === "https:";
    this.#agent = new (this.#isSecure ? HttpsAgent : HttpAgent)({ keepAlive: true, maxSockets: 1 });
    this.#headers = {
      "Content-Type": "application/x-protobuf",
      "Content-Encoding": "snappy",
      "X-Prometheus-Remote-Write-Version": "0.1.0",
      "User-Agent": options.userAgent,
      ...(authorization === undefined ? {} : { Authorization: authorization }),
    };
  }

  /** The address without user, password and query. */
  get address(): string {
    return `${this.#url.origin}${this.#url.pathname}`;
  }

  /** Does not reject. */
  post(body: Uint8Array, signal: AbortSignal): Promise<Delivery> {
    const { protocol, hostname, port, pathname, search } = this.#url;
    const { promise, resolve } = Promise.withResolvers<Delivery>();
    const call = (this.#isSecure ? httpsRequest : httpRequest)(
      {
        protocol,
        hostname: hostname.replace(/^\[(.*)\]$/, "$1"),
        port,
        path: `${pathname}${search}`,
        method: "POST",
        agent: this.#agent,
        headers: { ...this.#headers, "Content-Length": body.byteLength },
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          if (text.length < REASON_LENGTH) text += chunk;
        });
        response.on("error", (error) => resolve({ outcome: "again", reason: error.message }));
        response.on("end", () =>
          resolve(delivery(response.statusCode ?? 0, text, response.headers["retry-after"], Date.now())),
        );
      },
    );
    call.on("error", (error) => resolve({ outcome: "again", reason: error.message }));
    call.end(body);
    return promise;
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

/** What an answer means: only an overloaded or broken receiver is asked again, all else would be refused again. */
export function delivery(
  status: number,
  text: string,
  retryAfter: string | undefined,
  nowMs: number,
): Delivery {
  if (status >= 200 && status < 300) return { outcome: "taken" };
  const said = text.replaceAll(/\s+/g, " ").trim().slice(0, REASON_LENGTH);
  const reason = said === "" ? `status ${status}` : `status ${status}: ${said}`;
  if (status !== TOO_MANY_REQUESTS && status < 500) return { outcome: "never", reason };
  const waitMs = retryAfterMs(retryAfter, nowMs);
  return { outcome: "again", reason, ...(waitMs === undefined ? {} : { waitMs }) };
}

/** `Retry-After`: seconds, or a date. */
function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const waitMs = /^\d+$/.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - nowMs;
  return Number.isFinite(waitMs) ? Math.max(0, waitMs) : undefined;
}

function authorizationOf(url: URL, token: string | undefined): string | undefined {
  if (token !== undefined) return `Bearer ${token}`;
  if (url.username === "" && url.password === "") return undefined;
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return `Basic ${Buffer.from(pair).toString("base64")}`;
}
