import http, { type IncomingMessage } from "node:http";
import https from "node:https";

export interface HttpRequest {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Ends the question, and the reading of its answer. */
  readonly signal: AbortSignal;
}

export interface BodyRead {
  readonly text: string;
  /** False: there was more, which was not waited for. */
  readonly isWhole: boolean;
}

/**
 * Asks over a connection of its own, follows no redirect and wants no compressed answer. Not `fetch`: in Node 24 an
 * answer that closes its connection while it is being read ends the whole process (nodejs/undici#5360).
 * Whoever gets the answer reads or destroys it. @throws Error of the connection
 */
export function askHttp(
  url: string | URL,
  { method = "GET", headers, body, signal }: HttpRequest,
): Promise<IncomingMessage> {
  const to = new URL(url);
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const { request } = to.protocol === "https:" ? https : http;
  const asked = request(
    to,
    { method, headers: { ...headers, "accept-encoding": "identity" }, agent: false, signal },
    resolve,
  );
  asked.on("error", reject);
  asked.end(body);
  return promise;
}

/**
 * The text of an answer, up to so many bytes. What is left of it, and its connection, is dropped.
 * @throws Error of the connection, or for an answer that is compressed all the same
 */
export async function readBody(
  response: IncomingMessage,
  mostBytes = Number.POSITIVE_INFINITY,
): Promise<BodyRead> {
  const encoding = response.headers["content-encoding"] ?? "identity";
  if (encoding !== "identity") {
    response.destroy();
    throw new Error(`the answer is compressed (${encoding}), though it was asked for as it is`);
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    const part = Buffer.from(chunk);
    chunks.push(part);
    bytes += part.length;
    if (bytes > mostBytes) break;
  }
  response.destroy();
  const read = Buffer.concat(chunks);
  const text = new TextDecoder("utf-8").decode(read.subarray(0, mostBytes));
  return { text, isWhole: read.length <= mostBytes };
}
