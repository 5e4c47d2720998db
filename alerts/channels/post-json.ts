import type { IncomingMessage } from "node:http";
import { messageOf } from "../../core/errors.ts";
import { askHttp, readBody } from "../../core/http.ts";
import { SECOND_MS } from "../../core/units.ts";
import { DeliveryFailed } from "./channel.ts";

const PATIENCE_MS = 10 * SECOND_MS;
const MOST_SHOWN = 200;
/** Statuses after which another attempt can help, beside those of the server's own trouble. */
const WORTH_RETRYING = new Set([408, 425, 429]);

/**
 * Posts a document and waits for a 2xx. The address is a secret: nothing that is thrown says it.
 * @throws DeliveryFailed
 */
export async function postJson(
  url: string,
  body: unknown,
  options: { headers?: Readonly<Record<string, string>>; signal: AbortSignal; nowMs: () => number },
): Promise<void> {
  const timeout = AbortSignal.timeout(PATIENCE_MS);
  let response: IncomingMessage;
  let text: string;
  try {
    response = await askHttp(url, {
      method: "POST",
      headers: { "content-type": "application/json", "user-agent": "Flyball", ...options.headers },
      body: JSON.stringify(body),
      signal: AbortSignal.any([options.signal, timeout]),
    });
    if (isTaken(response)) return void response.destroy();
    // Of an answer without end no more is read than is shown.
    text = (await readBody(response, MOST_SHOWN)).text.trim();
  } catch (error) {
    const reason = timeout.aborted ? `no answer within ${PATIENCE_MS / SECOND_MS} s` : messageOf(error);
    throw new DeliveryFailed(withoutSecret(reason, url));
  }
  const status = response.statusCode ?? 0;
  const retryAfterMs = retryAfter(response.headers["retry-after"], options.nowMs());
  throw new DeliveryFailed(withoutSecret(`the receiver answers ${status}: ${text || "nothing more"}`, url), {
    isPermanent: status < 500 && !WORTH_RETRYING.has(status),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** Whatever else it answers. */
function isTaken({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode < 300;
}

/** Seconds, or an HTTP date. */
function retryAfter(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/u.test(header.trim())) return Number(header) * SECOND_MS;
  const atMs = Date.parse(header);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}

/** A receiver may answer with the path that it was asked for. */
function withoutSecret(message: string, url: string): string {
  const { pathname, search } = new URL(url);
  const parts = [url, `${pathname}${search}`, pathname, ...pathname.split("/"), search.slice(1)];
  return parts.filter((part) => part.length > 5).reduce((text, part) => text.replaceAll(part, "…"), message);
}
