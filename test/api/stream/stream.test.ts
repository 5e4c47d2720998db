import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { WebSocket } from "ws";
import {
  BEARER_PROTOCOL,
  CLOSE_CODES,
  type ClientFrame,
  type ServerFrame,
  STREAM_PROTOCOL,
  serverFrameSchema,
} from "../../../core/wire-stream.ts";
import { startTestApi, TOKEN } from "../harness.ts";

/** Somebody who listens, and remembers every frame. */
class Listener implements Disposable {
  readonly socket: WebSocket;
  readonly frames: ServerFrame[] = [];
  #wake = () => {};

  constructor(
    port: number,
    options: { path?: string; protocols?: string[]; headers?: Record<string, string> } = {},
  ) {
    const { path = "/v1/stream", protocols = [STREAM_PROTOCOL], headers = {} } = options;
    this.socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols, { headers });
    // A refused handshake is an error too; what matters is what the test waits for.
    this.socket.on("error", () => {});
    this.socket.on("message", (data) => {
      this.frames.push(serverFrameSchema.parse(JSON.parse(String(data))));
      this.#wake();
    });
  }

  subscribe(frame: Omit<ClientFrame, "type">): void {
    this.socket.send(JSON.stringify({ type: "subscribe", ...frame }));
  }

  async next<Type extends ServerFrame["type"]>(
    type: Type,
    count = 1,
  ): Promise<Extract<ServerFrame, { type: Type }>[]> {
    for (;;) {
      const found = this.frames.filter((frame) => frame.type === type);
      if (found.length >= count) return found as Extract<ServerFrame, { type: Type }>[];
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }

  /** Resolves when such a frame is among the newest. */
  async until(isMeant: (frame: ServerFrame) => boolean): Promise<void> {
    for (;;) {
      if (this.frames.slice(-5).some(isMeant)) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }

  [Symbol.dispose](): void {
    this.socket.terminate();
  }
}

/** What the handshake was answered with when it was refused. */
async function refusal(listener: Listener): Promise<number | undefined> {
  const [, response] = await once(listener.socket, "unexpected-response");
  return response.statusCode;
}

describe("the stream", () => {
  test("says hello, then gives what is subscribed to, in order", async () => {
    await using on = await startTestApi();
    using listener = new Listener(on.port);
    const [hello] = await listener.next("hello");
    assert.equal(hello?.epoch, "this-run");
    listener.subscribe({ topics: ["decisions", "actions"] });
    const [subscribed] = await listener.next("subscribed");
    assert.equal(subscribed?.complete, true);
    on.stream.publish("decisions", { to: 3 });
    on.stream.publish("samples", { services: [] });
    on.stream.publish("actions", { action: "create shop_web 3" });
    const events = await listener.next("event", 2);
    assert.deepEqual(
      events.map(({ topic, seq }) => [topic, seq]),
      [
        ["decisions", 1],
        ["actions", 3],
      ],
    );
  });

  test("who comes back with the last number that it saw misses nothing", async () => {
    await using on = await startTestApi();
    {
      using first = new Listener(on.port);
      await first.next("hello");
      first.subscribe({ topics: ["actions"] });
      await first.next("subscribed");
      on.stream.publish("actions", 1);
      await first.next("event");
    }
    on.stream.publish("actions", 2);
    on.stream.publish("decisions", "not asked for");
    on.stream.publish("actions", 3);
    using second = new Listener(on.port);
    await second.next("hello");
    second.subscribe({ topics: ["actions"], since: { epoch: "this-run", seq: 1 } });
    const events = await second.next("event", 2);
    assert.deepEqual(
      events.map(({ data }) => data),
      [2, 3],
    );
  });

  test("who comes back to another run of the daemon is told that something may be missing", async () => {
    await using on = await startTestApi();
    using listener = new Listener(on.port);
    await listener.next("hello");
    listener.subscribe({ topics: ["actions"], since: { epoch: "yesterday", seq: 7 } });
    const [subscribed] = await listener.next("subscribed");
    assert.equal(subscribed?.complete, false);
  });

  test("a frame that cannot be used is answered with what was expected, and many of them end the connection", async () => {
    await using on = await startTestApi();
    using listener = new Listener(on.port);
    await listener.next("hello");
    listener.socket.send("not json");
    listener.socket.send(JSON.stringify({ type: "subscribe", topics: ["everything"] }));
    listener.socket.send(Buffer.from([1, 2, 3]), { binary: true });
    const problems = await listener.next("problem", 3);
    assert.match(problems[0]?.detail ?? "", /not JSON/);
    assert.match(problems[1]?.detail ?? "", /topics/);
    assert.match(problems[2]?.detail ?? "", /text frame/);
    const closed = once(listener.socket, "close");
    for (let i = 0; i < 10; i += 1) listener.socket.send("again");
    assert.equal((await closed)[0], CLOSE_CODES.refused);
  });

  test("a frame that is too large ends the connection", async () => {
    await using on = await startTestApi();
    using listener = new Listener(on.port);
    await listener.next("hello");
    listener.socket.send("x".repeat(70_000));
    const [code] = await once(listener.socket, "close");
    assert.equal(code, CLOSE_CODES.tooLarge);
  });

  test("a client that never reads is let go, and the others are served meanwhile", async () => {
    await using on = await startTestApi();
    using deaf = new Listener(on.port);
    using listener = new Listener(on.port);
    for (const each of [deaf, listener]) {
      await each.next("hello");
      each.subscribe({ topics: ["actions"] });
      await each.next("subscribed");
    }
    deaf.socket.pause();
    const text = "x".repeat(100_000);
    for (let i = 1; on.stream.clients === 2; i += 1) {
      assert.ok(i < 1_000, "it is still there after 100 MB");
      on.stream.publish("actions", text);
      await listener.next("event", i);
      // It is counted until it has answered the goodbye, which it does not read yet.
      if (i > 300) break;
    }
    deaf.socket.resume();
    const [code] = await once(deaf.socket, "close");
    assert.equal(code, CLOSE_CODES.tooSlow);
  });

  test("10,000 alerts at once reach who reads and who comes back, each of them once and in order", async () => {
    await using on = await startTestApi();
    using listener = new Listener(on.port);
    await listener.next("hello");
    listener.subscribe({ topics: ["alerts"] });
    await listener.next("subscribed");
    for (let i = 1; i <= 10_000; i += 1) on.stream.publish("alerts", { summary: `alert ${i} of many` });
    using late = new Listener(on.port);
    await late.next("hello");
    late.subscribe({ topics: ["alerts"], since: { epoch: "this-run", seq: 0 } });
    for (const each of [listener, late]) {
      await each.until(({ type, ...frame }) => type === "event" && "seq" in frame && frame.seq === 10_000);
      const events = each.frames.filter(({ type }) => type === "event");
      assert.deepEqual(
        events.map((frame) => ("seq" in frame ? frame.seq : 0)),
        Array.from({ length: 10_000 }, (_, index) => index + 1),
      );
    }
  });

  test("heartbeats come, and a client that does not answer them is ended", async () => {
    await using on = await startTestApi({ heartbeatMs: 50 });
    using listener = new Listener(on.port);
    await listener.next("heartbeat", 2);
    // A handshake by hand, from somebody who never answers a ping.
    const mute = connect(on.port, "127.0.0.1");
    mute.write(
      [
        "GET /v1/stream HTTP/1.1",
        `Host: 127.0.0.1:${on.port}`,
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "",
        "",
      ].join("\r\n"),
    );
    mute.resume();
    await once(mute, "close");
    while (on.stream.clients > 1) await listener.next("heartbeat", listener.frames.length);
    assert.equal(on.stream.clients, 1);
  });

  test("asks for the token as every page does, in the header or beside the subprotocol", async () => {
    await using on = await startTestApi({ token: TOKEN });
    using none = new Listener(on.port);
    assert.equal(await refusal(none), 401);
    using wrong = new Listener(on.port, { headers: { authorization: "Bearer another-token-of-length" } });
    assert.equal(await refusal(wrong), 401);
    using header = new Listener(on.port, { headers: { authorization: `Bearer ${TOKEN}` } });
    await header.next("hello");
    const offered = `${BEARER_PROTOCOL}${Buffer.from(TOKEN).toString("base64url")}`;
    using page = new Listener(on.port, { protocols: [STREAM_PROTOCOL, offered] });
    await page.next("hello");
    assert.equal(page.socket.protocol, STREAM_PROTOCOL);
  });

  test("is not opened to a page from elsewhere, nor at another path", async () => {
    await using on = await startTestApi();
    using foreign = new Listener(on.port, { headers: { origin: "http://evil.example" } });
    assert.equal(await refusal(foreign), 403);
    using rebound = new Listener(on.port, { headers: { host: "evil.example" } });
    assert.equal(await refusal(rebound), 403);
    using other = new Listener(on.port, { path: "/v1/other" });
    assert.equal(await refusal(other), 404);
  });

  test("says goodbye when the daemon stops, and does not hold it up", async () => {
    const on = await startTestApi();
    using listener = new Listener(on.port);
    await listener.next("hello");
    const closed = once(listener.socket, "close");
    await on[Symbol.asyncDispose]();
    assert.equal((await closed)[0], CLOSE_CODES.goingAway);
  });
});
