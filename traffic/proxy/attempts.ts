import { setTimeout as sleep } from "node:timers/promises";
import type { ProxyBackend } from "./backend.ts";
import type { ProxyServer } from "./server.ts";

const MOST_ATTEMPTS = 4;
/** Before somebody is tried again, because there is nobody else. */
const PAUSE_MS = 1_000;

/**
 * Who is to be tried, one after the other: others first, and nobody where nobody serves.
 *
 * @param isOver nobody waits for it any more
 */
export async function* attempts(
  backend: ProxyBackend,
  mark: string | undefined,
  isOver: () => boolean,
): AsyncGenerator<ProxyServer> {
  const tried = new Set<ProxyServer>();
  for (let attempt = 0; attempt < MOST_ATTEMPTS && !isOver(); attempt += 1) {
    let server = backend.pick(tried, mark);
    if (server === undefined && tried.size > 0) {
      await sleep(PAUSE_MS);
      tried.clear();
      server = isOver() ? undefined : backend.pick(tried, mark);
    }
    if (server === undefined) return;
    tried.add(server);
    yield server;
  }
}
