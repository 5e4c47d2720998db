import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import type { Decision } from "../../core/types.ts";
import { Broadcast } from "../../daemon/broadcast.ts";

/** At its maximum, with a load that wants this many. */
function atMaximum(wanted: number, atMs: number): Decision {
  return {
    service: "shop_web",
    atMs,
    from: 10,
    wanted,
    to: 10,
    verdicts: [
      { metric: "cpu", wants: "out", level: wanted / 10, max: 0.7, replicasRead: 10, replicasServing: 10 },
    ],
    limits: [{ limit: "bounds", from: wanted, to: 10 }],
    sentence: `stays at 10: ${wanted} are wanted, and 10 is the maximum`,
  };
}

/** The number of the last event, as the stream tells it to who comes. */
async function told(broadcast: Broadcast): Promise<number> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  try {
    server.on("connection", (socket) => broadcast.hub.attach(socket, () => true));
    await once(server, "listening");
    const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const [hello] = await once(client, "message");
    client.terminate();
    return (JSON.parse(String(hello)) as { seq: number }).seq;
  } finally {
    server.close();
  }
}

test("a service that stays at its maximum is told of once, however much more its load wants each second", async () => {
  const broadcast = new Broadcast();
  await using _hub = broadcast.hub;
  for (const [second, wanted] of [12, 13, 12, 15].entries()) {
    broadcast.decided([atMaximum(wanted, second * 1_000)]);
  }
  assert.equal(await told(broadcast), 1);
  broadcast.decided([{ ...atMaximum(11, 5_000), to: 9 }]);
  assert.equal(await told(broadcast), 2);
});
