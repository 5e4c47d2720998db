import http, { type IncomingMessage } from "node:http";
import type { Clock } from "../../core/clock.ts";
import { messageOf } from "../../core/errors.ts";
import type { MetricsEndpoint } from "./metrics-endpoint.ts";

const SCRAPE_DEADLINE_MS = 5_000;
const MAX_SCRAPE_BYTES = 4 * 1024 * 1024;

/** Prometheus' text first: it says the same in fewer lines. */
const ACCEPT = "text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0;q=0.8,*/*;q=0.1";

export interface Scraped {
  readonly text: string;
  /** When the answer began: its values are of that moment. */
  readonly atMonotonicMs: number;
}

/** The text of one endpoint. @throws Error that says what was wrong with the answer */
export async function scrape(
  endpoint: MetricsEndpoint,
  clock: Pick<Clock, "monotonicMs">,
  signal: AbortSignal,
): Promise<Scraped> {
  const deadline = AbortSignal.timeout(SCRAPE_DEADLINE_MS);
  const either = AbortSignal.any([signal, deadline]);
  try {
    const response = await ask(endpoint, either);
    const atMonotonicMs = clock.monotonicMs();
    try {
      if (response.statusCode !== 200) throw new Error(`answered ${response.statusCode}`);
      return { text: await read(response), atMonotonicMs };
    } finally {
      response.destroy();
    }
  } catch (error) {
    signal.throwIfAborted();
    if (deadline.aborted) throw new Error(`no whole answer within ${SCRAPE_DEADLINE_MS / 1_000} s`);
    throw error;
  }
}

function ask({ host, port, path }: MetricsEndpoint, signal: AbortSignal): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const headers = { accept: ACCEPT, "accept-encoding": "identity", "user-agent": "flyball" };
  http.get({ host, port, path, headers, signal, agent: false }, resolve).on("error", (error) => {
    reject(new Error(`http://${host}:${port}${path}: ${messageOf(error)}`));
  });
  return promise;
}

async function read(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    const part = Buffer.from(chunk);
    bytes += part.length;
    if (bytes > MAX_SCRAPE_BYTES) throw new Error(`answered more than ${MAX_SCRAPE_BYTES} bytes`);
    chunks.push(part);
  }
  return new TextDecoder("utf-8").decode(Buffer.concat(chunks));
}
