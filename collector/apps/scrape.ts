import type { IncomingMessage } from "node:http";
import { isIPv6 } from "node:net";
import type { Clock } from "../../core/clock.ts";
import { messageOf } from "../../core/errors.ts";
import { askHttp, readBody } from "../../core/http.ts";
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
    if (response.statusCode !== 200) {
      response.destroy();
      throw new Error(`answered ${response.statusCode}`);
    }
    const { text, isWhole } = await readBody(response, MAX_SCRAPE_BYTES);
    if (!isWhole) throw new Error(`answered more than ${MAX_SCRAPE_BYTES} bytes`);
    return { text, atMonotonicMs };
  } catch (error) {
    signal.throwIfAborted();
    if (deadline.aborted) throw new Error(`no whole answer within ${SCRAPE_DEADLINE_MS / 1_000} s`);
    throw error;
  }
}

async function ask({ host, port, path }: MetricsEndpoint, signal: AbortSignal): Promise<IncomingMessage> {
  const url = `http://${isIPv6(host) ? `[${host}]` : host}:${port}${path}`;
  try {
    return await askHttp(url, { headers: { accept: ACCEPT, "user-agent": "flyball" }, signal });
  } catch (error) {
    throw new Error(`${url}: ${messageOf(error)}`);
  }
}
