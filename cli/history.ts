import { isFlyballError } from "../core/errors.ts";
import { DAY_MS } from "../core/units.ts";
import type { History } from "../core/wire-history.ts";
import type { Client } from "./client.ts";

/** For as long as a daemon keeps minutes. */
export const KEPT_MS = 28 * DAY_MS;

export interface HistoryRequest {
  readonly fromMs: number;
  readonly toMs: number;
  /** What is not there after this many milliseconds is done without; absent: it takes what it takes. */
  readonly withinMs?: number;
}

/**
 * What the daemon keeps of a service in a span, its newest days first where time is short: `fromMs` of the answer says
 * how far back it goes.
 *
 * @throws FlyballError NOT_FOUND, DAEMON_UNREACHABLE
 */
export async function fetchHistory(client: Client, id: string, request: HistoryRequest): Promise<History> {
  const { fromMs, toMs, withinMs } = request;
  const startedAtMs = performance.now();
  const leftMs = () =>
    withinMs === undefined
      ? undefined
      : Math.max(0, Math.round(withinMs - (performance.now() - startedAtMs)));
  let history = await fetchPages(client, id, Math.max(fromMs, toMs - DAY_MS), toMs, leftMs());
  while (history.fromMs > fromMs && leftMs() !== 0) {
    const before = Math.max(fromMs, history.fromMs - DAY_MS);
    const day = await fetchPages(client, id, before, history.fromMs, leftMs()).catch((error: unknown) => {
      if (withinMs === undefined || !isFlyballError(error)) throw error;
    });
    if (day === undefined) break;
    history = { ...history, fromMs: before, minutes: [...day.minutes, ...history.minutes] };
  }
  return history;
}

/** A daemon says itself how much it answers at once. */
async function fetchPages(
  client: Client,
  id: string,
  fromMs: number,
  toMs: number,
  timeoutMs: number | undefined,
): Promise<History> {
  let history = await client.history(id, { fromMs, toMs }, timeoutMs);
  while (history.nextFromMs !== undefined) {
    const { nextFromMs, ...before } = history;
    const next = await client.history(id, { fromMs: nextFromMs, toMs }, timeoutMs);
    history = { ...next, fromMs, minutes: [...before.minutes, ...next.minutes] };
  }
  return history;
}
