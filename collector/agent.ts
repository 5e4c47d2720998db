import { isIPv6 } from "node:net";
import { type Joined, joinParts } from "./join.ts";
import type { CollectorSettings } from "./settings.ts";

const ANYWHERE: readonly string[] = ["0.0.0.0", "::"];

/** The collector on its own: reads what the engine runs, and offers it, until it is told to stop. */
export async function runAgent(settings: CollectorSettings): Promise<void> {
  const stopped = Promise.withResolvers<void>();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stopped.resolve());
  await using joined = await joinParts(settings, { needsPage: true, onBatch: () => {}, figures: () => ({}) });
  joined.begin();
  process.stderr.write(`${greeting(joined)}\n`);
  await stopped.promise;
}

function greeting({ address, engine }: Joined): string {
  const containers = engine === undefined ? "no engine is asked for containers" : `containers of ${engine}`;
  if (address === undefined) return `flyball agent: ${containers}; metrics are offered nowhere`;
  const { host, port } = address;
  const open = ANYWHERE.includes(host);
  const shown = open ? "localhost" : isIPv6(host) ? `[${host}]` : host;
  const reach = open
    ? ", open to every machine that reaches this one (--metrics 127.0.0.1:PORT closes it)"
    : "";
  return `flyball agent: ${containers}; metrics at http://${shown}:${port}/metrics${reach}`;
}
