import http, { type ClientRequest, type IncomingMessage, type RequestOptions } from "node:http";
import https from "node:https";
import { FlyballError, isFlyballError, isSystemError, messageOf } from "../../core/errors.ts";
import { formatDuration } from "../../core/units.ts";
import type { EngineAddress } from "./engine-address.ts";

/** Calls that run at once: an engine works them off one by one anyway. */
const MAX_CALLS = 8;
/** Longer than a busy engine ever took: what it says late is still true. */
const DEADLINE_MS = 60_000;
/** A list of 5,000 containers is some 10 MB. */
const MAX_ANSWER_BYTES = 128 * 1024 * 1024;

/**
 * The few calls of the Docker Engine API that the collector makes, to Docker or to Podman's compatible service. The
 * answers must be what the API says: they are not looked at here.
 */
export class EngineClient implements Disposable {
  readonly address: EngineAddress;
  readonly #agent: http.Agent;

  constructor(address: EngineAddress) {
    this.address = address;
    const options = { keepAlive: true, maxSockets: MAX_CALLS, maxFreeSockets: 2 };
    this.#agent = isSecure(address) ? new https.Agent(options) : new http.Agent(options);
  }

  /** Undefined when there is no such thing. @throws FlyballError ENGINE_UNAVAILABLE, ENGINE_REFUSED */
  async get<Answer>(path: string, signal?: AbortSignal): Promise<Answer | undefined> {
    const deadline = AbortSignal.timeout(DEADLINE_MS);
    const either = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
    try {
      const response = await this.#ask({ path, agent: this.#agent, signal: either });
      const text = await readText(response);
      if (response.statusCode === 404) return undefined;
      if (response.statusCode !== 200) throw refused(response.statusCode, text);
      return JSON.parse(text) as Answer;
    } catch (error) {
      if (isFlyballError(error)) throw error;
      signal?.throwIfAborted();
      if (deadline.aborted) throw this.#unavailable(`no answer within ${formatDuration(DEADLINE_MS)}`);
      throw this.#unavailable(adviceFor(error, this.address), error);
    }
  }

  /**
   * An answer that goes on until the signal ends it; undefined when there is no such thing.
   * @throws FlyballError ENGINE_UNAVAILABLE, ENGINE_REFUSED
   */
  async open(path: string, signal: AbortSignal): Promise<IncomingMessage | undefined> {
    try {
      // A connection of its own: it is never free for a next call.
      const response = await this.#ask({ path, agent: false, signal });
      if (response.statusCode === 200) return response;
      const text = await readText(response);
      if (response.statusCode === 404) return undefined;
      throw refused(response.statusCode, text);
    } catch (error) {
      if (isFlyballError(error)) throw error;
      signal.throwIfAborted();
      throw this.#unavailable(adviceFor(error, this.address), error);
    }
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  #ask(options: RequestOptions): Promise<IncomingMessage> {
    const { address } = this;
    const place =
      address.kind === "socket"
        ? { socketPath: address.socketPath }
        : { host: address.host, port: address.port };
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const request: ClientRequest = (isSecure(address) ? https : http).get(
      { ...place, ...options, headers: { host: "engine" } },
      resolve,
    );
    request.on("error", reject);
    return promise;
  }

  #unavailable(reason: string, cause?: unknown): FlyballError {
    const text = `the engine at ${this.address.text} does not answer: ${reason}`;
    return new FlyballError("ENGINE_UNAVAILABLE", text, cause === undefined ? {} : { cause });
  }
}

function isSecure(address: EngineAddress): boolean {
  return address.kind === "tcp" && address.secure;
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    const part = Buffer.from(chunk);
    bytes += part.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`an answer of more than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(part);
  }
  return Buffer.concat(chunks).toString();
}

function refused(status: number | undefined, text: string): FlyballError {
  return new FlyballError("ENGINE_REFUSED", `the engine answered ${status}: ${text.trim().slice(0, 300)}`);
}

function adviceFor(error: unknown, address: EngineAddress): string {
  if (isSystemError(error, "ENOENT")) return "there is no such socket";
  if (isSystemError(error, "ECONNREFUSED")) return "nothing listens there";
  if (isSystemError(error, "EACCES") || isSystemError(error, "EPERM")) {
    const path = address.kind === "socket" ? address.socketPath : address.text;
    return `no right to open ${path}: this user needs to read and write it, as members of the group that owns it may`;
  }
  return messageOf(error);
}
