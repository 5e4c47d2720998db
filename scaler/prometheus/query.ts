import { readFile } from "node:fs/promises";
import { messageOf } from "../../core/errors.ts";
import { SECOND_MS } from "../../core/units.ts";
import { AGGREGATE, type QueryOutcome, readAnswer, trouble } from "./answer.ts";

const QUERY_TIMEOUT_MS = 5 * SECOND_MS;
export const MAX_ANSWER_BYTES = 1024 * 1024;

/** A server that answers `/api/v1/query` below its URL. Files are read at each question: tokens are renewed. */
export interface PrometheusServer {
  readonly url: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly username?: string;
  readonly password?: string;
  readonly passwordFile?: string;
}

/**
 * The value of an expression now. What goes wrong is an outcome, not an error.
 * @throws the signal's reason, when that is why there is none
 */
export async function queryPrometheus(
  server: PrometheusServer,
  expression: string,
  signal: AbortSignal,
): Promise<QueryOutcome> {
  let authorization: string | undefined;
  try {
    authorization = await authorizationOf(server);
  } catch (error) {
    return trouble("credentials", `who asks Prometheus cannot be said: ${messageOf(error)}`);
  }
  const timeout = AbortSignal.timeout(QUERY_TIMEOUT_MS);
  try {
    const response = await fetch(endpointOf(server.url), {
      method: "POST",
      body: new URLSearchParams({ query: expression, timeout: `${QUERY_TIMEOUT_MS / SECOND_MS}s` }),
      headers: {
        accept: "application/json",
        "accept-encoding": "identity",
        ...(authorization === undefined ? {} : { authorization }),
      },
      // A redirect could lead the credentials, and the daemon, to wherever it likes.
      redirect: "manual",
      signal: AbortSignal.any([signal, timeout]),
    });
    const text = await readText(response);
    if (text === undefined) {
      const most = `${MAX_ANSWER_BYTES / 1024} KiB`;
      return trouble(
        "too large",
        `Prometheus answered more than ${most}: if there are many series, ${AGGREGATE}`,
      );
    }
    return readAnswer(response.status, text);
  } catch (error) {
    signal.throwIfAborted();
    if (timeout.aborted) {
      return trouble("timeout", `Prometheus gave no whole answer within ${QUERY_TIMEOUT_MS / SECOND_MS} s`);
    }
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    return trouble("unreachable", `Prometheus cannot be asked: ${messageOf(cause)}`);
  }
}

function endpointOf(url: string): URL {
  return new URL("api/v1/query", url.endsWith("/") ? url : `${url}/`);
}

/** Undefined when it is too long. */
async function readText(response: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the rest.
    if (bytes > MAX_ANSWER_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** @throws Error that does not repeat what is secret */
async function authorizationOf(server: PrometheusServer): Promise<string | undefined> {
  const token = server.token ?? (await secretIn(server.tokenFile));
  if (token !== undefined) {
    if (!/^[\x21-\x7e]+$/.test(token)) throw new Error("the token holds what no header can");
    return `Bearer ${token}`;
  }
  if (server.username === undefined) return undefined;
  const password = server.password ?? (await secretIn(server.passwordFile)) ?? "";
  return `Basic ${Buffer.from(`${server.username}:${password}`).toString("base64")}`;
}

async function secretIn(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const secret = (await readFile(path, "utf8")).trim();
  if (secret === "") throw new Error(`${path} is empty`);
  return secret;
}
