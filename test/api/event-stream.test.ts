import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { type ServerEvent, sendEvents } from "../../api/event-stream.ts";

/** A server that answers everything with these events, and resolves `ended` when it has ended the first answer. */
async function startStream(
  events: (response: ServerResponse) => AsyncIterable<ServerEvent>,
  heartbeatMs: number,
) {
  const ended = Promise.withResolvers<void>();
  const server = createServer((_request, response) => {
    sendEvents(response, events(response), heartbeatMs).then(ended.resolve, ended.reject);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  const port = bound !== null && typeof bound === "object" ? bound.port : 0;
  return {
    ended: ended.promise,
    port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

describe("a stream of events", () => {
  test("is written as browsers read it, and ends with the events", async () => {
    await using stream = await startStream(async function* () {
      yield { event: "endpoints", id: "7", data: { of: "web" } };
      yield { event: "gone", data: {} };
    }, 60_000);
    const answer = await fetch(`http://127.0.0.1:${stream.port}`);
    assert.equal(
      await answer.text(),
      'retry: 1000\n\nevent: endpoints\nid: 7\ndata: {"of":"web"}\n\nevent: gone\ndata: {}\n\n',
    );
    await stream.ended;
  });

  test("shows that it lives while nothing happens", async () => {
    const quiet = Promise.withResolvers<void>();
    await using stream = await startStream(async function* () {
      yield { event: "endpoints", data: await quiet.promise };
    }, 10);
    const socket = connect(stream.port, "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let seen = "";
    for await (const chunk of socket) {
      seen += chunk;
      if (seen.split(": heartbeat").length > 3) quiet.resolve();
    }
    assert.match(seen, /: heartbeat\n/);
  });

  test("is not written ahead of a client that does not read, who is dropped", {
    timeout: 20_000,
  }, async () => {
    let made = 0;
    const data = "x".repeat(1_000_000);
    await using stream = await startStream(async function* () {
      for (;;) {
        made += 1;
        yield { event: "endpoints", data };
      }
    }, 200);
    const socket = connect(stream.port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.pause();
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await stream.ended;
    assert.ok(made < 50, `${made} MB were written`);
    socket.destroy();
  });

  test("ends its source when the client goes while it reads too slowly", { timeout: 20_000 }, async () => {
    const over = Promise.withResolvers<void>();
    await using stream = await startStream(async function* () {
      try {
        for (;;) yield { event: "endpoints", data: "x".repeat(1_000_000) };
      } finally {
        over.resolve();
      }
    }, 60_000);
    const socket = connect(stream.port, "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await once(socket, "data");
    socket.pause();
    socket.destroy();
    await over.promise;
    await stream.ended;
  });

  test("lets the error of its source be known", async () => {
    await using stream = await startStream(async function* () {
      yield { event: "endpoints", data: 1 };
      throw new Error("no more");
    }, 60_000);
    const failed = assert.rejects(stream.ended, /no more/);
    await (await fetch(`http://127.0.0.1:${stream.port}`)).text();
    await failed;
  });
});
