import { readFile } from "node:fs/promises";
import { messageOf } from "../../core/errors.ts";
import { askHttp, readBody } from "../../core/http.ts";
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
    const form = new URLSearchParams({ query: expression, timeout: `${QUERY_TIMEOUT_MS / SECOND_MS}s` });
    const response = await askHttp(endpointOf(server.url), {
      method: "POST",
      body: form.toString(),
      headers: {
        accept: "application/json",
        "content-type": "application/x-www-form-urlencoded",
        ...(authorization === undefined ? {} : { authorization }),
      },
      signal: AbortSignal.any([signal, timeout]),
    });
    const { text, isWhole } = await readBody(response, MAX_ANSWER_BYTES);
    if (!isWhole) {
      const most = `${MAX_ANSWER_BYTES / 1024} KiB`;
      return trouble(
        "too large",
        `Prometheus answered more than ${most}: if there are many series, ${AGGREGATE}`,
      );
    }
    return readAnswer(response.statusCode ?? 0, text);
  } catch (error) {
    signal.throwIfAborted();
    if (timeout.aborted) {
      return trouble("timeout", `Prometheus gave no whole answer within ${QUERY_TIMEOUT_MS / SECOND_MS} s`);
    }
    return trouble("unreachable", `Prometheus cannot be asked: ${messageOf(error)}`);
  }
}

function endpointOf(url: string): URL {
  return new URL("api/v1/query", url.endsWith("/") ? url : `${url}/`);
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
