import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer } from "node:net";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { createLog } from "../../../core/log.ts";
import { type Sleeper, Waker } from "../../../traffic/waker/waker.ts";

const log = createLog("silent");
const BACKEND = "shop_web:80";

async function startWaker(
  patience = { personMs: 30_000, programMs: 30_000 },
  mode: Sleeper["mode"] = "http",
) {
  const came: string[] = [];
  const heard = Promise.withResolvers<void>();
  const waker = new Waker({
    log,
    patience,
    onWaiting: (service) => {
      came.push(service);
      heard.resolve();
    },
  });
  const sleeper = { name: BACKEND, service: "shop_web", mode };
  await waker.keep([{ ...sleeper, places: [] }]);
  return {
    waker,
    came,
    heard: heard.promise,
    url: `http://127.0.0.1:${waker.ports[BACKEND]}`,
    port: waker.ports[BACKEND] ?? 0,
    wakeUp: (server: { address(): AddressInfo | string | null }) =>
      waker.keep([{ ...sleeper, places: [{ host: "127.0.0.1", port: portOf(server) }] }]),
    [Symbol.asyncDispose]: () => waker[Symbol.asyncDispose](),
  };
}

function portOf(server: { address(): AddressInfo | string | null }): number {
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  return address.port;
}

/** A replica that says what it was asked. */
async function startReplica(): Promise<Server & AsyncDisposable> {
  const server = createServer(async (request, response) => {
    const body = await text(request);
    response
      .setHeader("x-replica", "1")
      .end(`${request.method} ${request.url} ${request.headers.host} ${body}`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

describe("a service that sleeps", () => {
  test("what it is asked is held until it serves, and answered by it, body and all", async () => {
    await using on = await startWaker();
    await using replica = await startReplica();
    const asked = fetch(`${on.url}/cart?id=7`, { method: "POST", body: "two apples" });
    await on.heard;
    assert.deepEqual(on.came, ["shop_web"]);
    assert.deepEqual(on.waker.signs.get("shop_web"), { waiting: 1, open: 1 });
    await on.wakeUp(replica);
    const answer = await asked;
    assert.equal(answer.headers.get("x-replica"), "1");
    assert.equal(await answer.text(), `POST /cart?id=7 127.0.0.1:${on.port} two apples`);
    assert.equal(on.waker.signs.get("shop_web")?.waiting, 0);
  });

  test("is woken once, however many wait, and all of them are served", async () => {
    await using on = await startWaker();
    await using replica = await startReplica();
    const asked = Array.from({ length: 50 }, (_, i) =>
      fetch(`${on.url}/${i}`).then((answer) => answer.text()),
    );
    while ((on.waker.signs.get("shop_web")?.waiting ?? 0) < 50) await new Promise(setImmediate);
    await on.wakeUp(replica);
    const answers = await Promise.all(asked);
    assert.deepEqual(
      answers.map((answer) => answer.split(" ")[1]),
      answers.map((_, i) => `/${i}`),
    );
    assert.deepEqual(on.came, ["shop_web"]);
  });

  test("a person is shown that it takes a moment, and the page asks again by itself", async () => {
    await using on = await startWaker({ personMs: 20, programMs: 30_000 });
    // By hand: fetch says of itself that it is no page.
    const headers = { accept: "text/html,*/*", "sec-fetch-mode": "navigate" };
    const [answer] = (await once(httpRequest(on.url, { headers }).end(), "response")) as [IncomingMessage];
    assert.equal(answer.statusCode, 503);
    assert.equal(answer.headers["retry-after"], "1");
    assert.match(await text(answer), /<meta http-equiv="refresh" content="1">/);
  });

  test("a program is told to come back when it was held for as long as it may be", async () => {
    await using on = await startWaker({ personMs: 30_000, programMs: 20 });
    const answer = await fetch(on.url, { headers: { accept: "application/json" } });
    assert.equal(answer.status, 503);
    assert.equal(answer.headers.get("retry-after"), "5");
    assert.match(await answer.text(), /being started/);
  });

  test("who leaves is waited for by nobody", async () => {
    await using on = await startWaker();
    const leaving = new AbortController();
    const asked = fetch(on.url, { signal: leaving.signal });
    await on.heard;
    leaving.abort();
    await assert.rejects(asked);
    while ((on.waker.signs.get("shop_web")?.waiting ?? 0) > 0) await new Promise(setImmediate);
  });

  test("a replica that does not listen yet is tried again, and one that never does is not waited for for ever", async () => {
    await using on = await startWaker({ personMs: 30_000, programMs: 700 });
    const replica = await startReplica();
    const address = { address: "127.0.0.1", family: "IPv4", port: portOf(replica) };
    await once(replica.close(), "close");
    await on.wakeUp({ address: () => address });
    const inVain = fetch(`${on.url}/too-early`);
    assert.equal((await inVain).status, 503);
    const soon = fetch(`${on.url}/soon`);
    await using late = createServer((request, response) => response.end(request.url));
    late.listen(address.port, "127.0.0.1");
    assert.equal(await (await soon).text(), "/soon");
  });

  test("a websocket is held as well, and stays open for as long as it likes", async () => {
    await using on = await startWaker();
    await using replica = await startReplica();
    const sockets = new WebSocketServer({ server: replica });
    sockets.on("connection", (socket) => socket.on("message", (data) => socket.send(`got ${data}`)));
    const client = new WebSocket(`ws://127.0.0.1:${on.port}/live`);
    await on.heard;
    await on.wakeUp(replica);
    await once(client, "open");
    client.send("hello");
    const [answer] = await once(client, "message");
    assert.equal(String(answer), "got hello");
    assert.equal(on.waker.signs.get("shop_web")?.open, 1);
    client.terminate();
    for (const socket of sockets.clients) socket.terminate();
  });

  test("of a tcp door the connection is held, with what was said meanwhile", async () => {
    await using on = await startWaker(undefined, "tcp");
    const replica = createTcpServer((socket) => socket.pipe(socket)).listen(0, "127.0.0.1");
    await once(replica, "listening");
    const client = connect(on.port, "127.0.0.1");
    client.write("said before anybody listened");
    await on.heard;
    await on.wakeUp(replica);
    const [echo] = await once(client, "data");
    assert.equal(String(echo), "said before anybody listened");
    client.end();
    await once(client, "close");
    await once(replica.close(), "close");
  });

  test("keeps its port when the daemon is started again, as long as it is free", async () => {
    const first = await startWaker();
    const { port } = first;
    await first[Symbol.asyncDispose]();
    const options = { log, onWaiting: () => {}, knownPorts: { [BACKEND]: port } };
    const sleepers: Sleeper[] = [{ name: BACKEND, service: "shop_web", mode: "http", places: [] }];
    await using again = new Waker(options);
    await again.keep(sleepers);
    assert.equal(again.ports[BACKEND], port);
    await using other = new Waker(options);
    await other.keep(sleepers);
    assert.notEqual(other.ports[BACKEND], port);
  });

  test("that is gone has no door any more, and who waited there is told so", async () => {
    await using on = await startWaker();
    const asked = fetch(on.url);
    await on.heard;
    await on.waker.keep([]);
    assert.equal((await asked).status, 503);
    assert.deepEqual(on.waker.ports, {});
    const refused = httpRequest(on.url);
    await once(refused.end(), "error");
  });
});
