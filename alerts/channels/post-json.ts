import { messageOf } from "../../core/errors.ts";
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
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", "user-agent": "Flyball", ...options.headers },
      body: JSON.stringify(body),
      // Where it leads to was not named by anybody.
      redirect: "manual",
      signal: AbortSignal.any([options.signal, AbortSignal.timeout(PATIENCE_MS)]),
    });
    text = await startOf(response);
  } catch (error) {
    throw new DeliveryFailed(withoutSecret(reasonOf(error), url));
  }
  if (response.ok) return;
  const { status } = response;
  const retryAfterMs = retryAfter(response.headers.get("retry-after"), options.nowMs());
  throw new DeliveryFailed(withoutSecret(`the receiver answers ${status}: ${text || "nothing more"}`, url), {
    isPermanent: status < 500 && !WORTH_RETRYING.has(status),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** Of an answer without end no more is read than is shown. */
async function startOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  if (response.body === null) return text;
  for await (const chunk of response.body) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length >= MOST_SHOWN) break;
  }
  return text.slice(0, MOST_SHOWN).trim();
}

/** Seconds, or an HTTP date. */
function retryAfter(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,9}$/u.test(header.trim())) return Number(header) * SECOND_MS;
  const atMs = Date.parse(header);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}

/** Fetch says only "fetch failed"; what failed is in the cause. */
function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === "TimeoutError")
    return `no answer within ${PATIENCE_MS / SECOND_MS} s`;
  return messageOf(error instanceof Error && error.cause !== undefined ? error.cause : error);
}

/** A receiver may answer with the path that it was asked for. */
function withoutSecret(message: string, url: string): string {
  const { pathname, search } = new URL(url);
  const parts = [url, `${pathname}${search}`, pathname, ...pathname.split("/"), search.slice(1)];
  return parts.filter((part) => part.length > 5).reduce((text, part) => text.replaceAll(part, "…"), message);
}
