import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { SECOND_MS } from "../core/units.ts";

/** One event of a stream of server-sent events. */
export interface ServerEvent {
  readonly event: string;
  /** What a client that reconnects says it has seen. */
  readonly id?: string;
  /** Sent as JSON. */
  readonly data: unknown;
}

const HEARTBEAT_MS = 15 * SECOND_MS;
/** What a browser waits before it connects again. */
const RETRY_MS = SECOND_MS;

/**
 * Sends the events as they come, until there are no more or the client is gone. The next one is asked for only when
 * the client has taken the one before; a client that has not by the next heartbeat is dropped.
 */
export async function sendEvents(
  response: ServerResponse,
  events: AsyncIterable<ServerEvent>,
  heartbeatMs: number = HEARTBEAT_MS,
): Promise<void> {
  response.writeHead(200, {
    "Content-Type": "text/event-stream; charset=utf-8",
    // A proxy that gathers an answer before it passes it on would hold the events back.
    "X-Accel-Buffering": "no",
  });
  response.write(`retry: ${RETRY_MS}\n\n`);
  const heartbeat = setInterval(() => {
    if (response.writableNeedDrain) response.destroy();
    else response.write(": heartbeat\n\n");
  }, heartbeatMs);
  try {
    for await (const event of events) {
      if (response.destroyed) return;
      if (!response.write(textOf(event))) await drained(response);
    }
  } finally {
    clearInterval(heartbeat);
    response.end();
  }
}

function textOf({ event, id, data }: ServerEvent): string {
  return `event: ${event}\n${id === undefined ? "" : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;
}

/** Also when it never will, because the client is gone. */
async function drained(response: ServerResponse): Promise<void> {
  if (response.destroyed) return;
  const settled = new AbortController();
  const { signal } = settled;
  const ends = ["drain", "close", "error"].map((name) =>
    once(response, name, { signal }).catch(() => undefined),
  );
  await Promise.race(ends);
  settled.abort();
}
