import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";

/**
 * The shop's front: every request to `/` burns the same amount of CPU, so that a replica held back by its CPU limit
 * answers late, as a real one does. `/healthz` answers 200 while the replica wants traffic.
 */

/** Work is counted in bytes to hash, never in time: a slower core, or less of one, takes longer. */
const BLOCK = Buffer.alloc(64 * 1024);
const BLOCKS_PER_REQUEST = 128;
/** Between two turns of the event loop, so that `/healthz` and other requests get theirs. */
const BLOCKS_PER_TURN = 8;

/** Long enough for every balancer to hear `/healthz` say no, and to stop sending. */
const LAME_DUCK_MS = 1_500;
/** Longer than a client keeps an idle connection, so that it is not the server that ends one in use. */
const KEEP_ALIVE_MS = 65_000;

let stopping = false;

async function price(): Promise<string> {
  const hash = createHash("sha256");
  for (let block = 0; block < BLOCKS_PER_REQUEST; block += BLOCKS_PER_TURN) {
    for (let i = 0; i < BLOCKS_PER_TURN; i += 1) hash.update(BLOCK);
    await nextTurn();
  }
  return hash.digest("hex");
}

async function answer(path: string): Promise<{ status: number; body: object }> {
  if (path === "/healthz") return stopping ? { status: 503, body: { stopping } } : { status: 200, body: {} };
  if (path !== "/") return { status: 404, body: { error: "expected / or /healthz" } };
  const receipt = await price();
  const { user, system } = process.cpuUsage();
  return { status: 200, body: { receipt, cpuMs: (user + system) / 1_000 } };
}

const server = createServer((request, response) => {
  void answer(request.url ?? "/").then(({ status, body }) => {
    response.writeHead(status, {
      "content-type": "application/json",
      ...(stopping ? { connection: "close" } : {}),
    });
    response.end(`${JSON.stringify(body)}\n`);
  });
});
server.keepAliveTimeout = KEEP_ALIVE_MS;

process.once("SIGTERM", async () => {
  stopping = true;
  await sleep(LAME_DUCK_MS);
  server.close(() => process.exit(0));
});

server.listen(Number(process.env["PORT"] ?? 8080), () => {
  process.stdout.write(`listening on port ${(server.address() as AddressInfo).port}\n`);
});
