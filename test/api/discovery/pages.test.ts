import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { endpointDirectorySchema, endpointSetSchema } from "../../../core/wire-endpoints.ts";
import { problem, startTestApi } from "../harness.ts";
import { NOW_MS, observed, replica, service } from "./builders.ts";

const web = service("web", { metrics: { port: 8080, path: "/metrics" } });
const EVENTS = { headers: { accept: "text/event-stream" } };

/** The API of a daemon that has seen the replicas in these slots of `web`. */
async function startSeeing(...slots: number[]) {
  const api = await startTestApi();
  api.control.running = [web];
  let atMs = NOW_MS;
  const see = (...slots: number[]) => {
    atMs += 1_000;
    api.control.discovery.observed(
      observed(
        slots.map((slot) => replica("web", slot)),
        { atMs },
      ),
    );
  };
  see(...slots);
  const read = async (query = "", path = "/v1/services/shop_web/endpoints") =>
    endpointSetSchema.parse(await (await api.fetch(path + query)).json());
  return { ...api, see, read, [Symbol.asyncDispose]: () => api[Symbol.asyncDispose]() };
}

/** The events of a stream as they come: `event id slots`. */
async function* eventsOf(response: Response): AsyncGenerator<string> {
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += new TextDecoder().decode(chunk);
    const parts = text.split("\n\n");
    text = parts.pop() ?? "";
    for (const part of parts) {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(part)?.[1];
      if (field("event") === undefined) continue;
      const { endpoints = [] } = JSON.parse(field("data") ?? "");
      yield `${field("event")} ${field("id")} ${endpoints.map(({ slot }: { slot: number }) => slot).join(",")}`;
    }
  }
}

describe("the endpoints of a service", () => {
  test("are answered with their version", async () => {
    await using api = await startSeeing(2, 1);
    const set = await api.read();
    assert.deepEqual(
      set.endpoints.map(({ slot, port, targetPort }) => [slot, port, targetPort]),
      [
        [1, 28_001, 8080],
        [2, 28_002, 8080],
      ],
    );
    const directory = endpointDirectorySchema.parse(await (await api.fetch("/v1/endpoints")).json());
    assert.deepEqual(directory, { version: set.version, services: [set] });
  });

  test("are not answered before the engine was seen, nor for a service that is not there", async () => {
    await using api = await startTestApi();
    api.control.running = [web];
    const early = await problem(await api.fetch("/v1/services/shop_web/endpoints"));
    assert.equal(`${early.status} ${early.code}`, "503 NOT_READY");
    assert.equal((await problem(await api.fetch("/v1/endpoints"))).code, "NOT_READY");
    assert.equal((await problem(await api.fetch("/v1/sd/prometheus"))).code, "NOT_READY");
    const missing = await problem(await api.fetch("/v1/services/shop_wep/endpoints"));
    assert.equal(`${missing.status} ${missing.code}`, "404 NOT_FOUND");
    // The stream says it as an answer, not as an event.
    assert.equal((await problem(await api.fetch("/v1/services/shop_wep/endpoints", EVENTS))).status, 404);
  });

  test("are waited for by who has the version of now, and answered at once to who has another", async () => {
    await using api = await startSeeing(1);
    const { version } = await api.read();
    const waiting = api.read(`?after=${version}&wait=1m`);
    assert.equal(await Promise.race([waiting, sleep(200, "waits")]), "waits");
    api.see(1, 2);
    const next = await waiting;
    assert.equal(next.endpoints.length, 2);
    assert.ok(next.version > version);
    assert.deepEqual(await api.read(`?after=${version}&wait=1m`), next);
    // A version of the future is one of a daemon whose clock was ahead.
    assert.deepEqual(await api.read("?after=9000000000000000&wait=1m"), next);
  });

  test("are answered as they are when the wait is over", async () => {
    await using api = await startSeeing(1);
    const now = await api.read();
    assert.deepEqual(await api.read(`?after=${now.version}&wait=50ms`), now);
  });

  test("end a wait with 404 when the service goes", async () => {
    await using api = await startSeeing(1);
    const { version } = await api.read();
    const waiting = api.fetch(`/v1/services/shop_web/endpoints?after=${version}&wait=1m`);
    await sleep(100);
    api.control.running = [];
    api.see();
    assert.equal((await problem(await waiting)).code, "NOT_FOUND");
  });

  for (const [query, at] of [
    ["?after=soon", "?after"],
    ["?wait=30s", "?wait"],
    ["?after=1&wait=soon", "?wait"],
    ["?after=1&wait=6m", "?wait"],
    ["?since=1", "?since"],
  ]) {
    test(`are refused for ${query}`, async () => {
      await using api = await startSeeing(1);
      const { errors } = await problem(await api.fetch(`/v1/services/shop_web/endpoints${query}`));
      assert.deepEqual(
        errors?.map((error) => error.at),
        [at],
      );
    });
  }
});

describe("the stream of a service's endpoints", () => {
  test("tells what there is, then each change, then that the service went", async () => {
    await using api = await startSeeing(1);
    const { version } = await api.read();
    const response = await api.fetch("/v1/services/shop_web/endpoints", EVENTS);
    assert.equal(response.headers.get("content-type"), "text/event-stream; charset=utf-8");
    const events = eventsOf(response);
    assert.equal((await events.next()).value, `endpoints ${version} 1`);
    api.see(1, 2);
    assert.equal((await events.next()).value, `endpoints ${version + 1_000} 1,2`);
    api.see(1, 2);
    api.see();
    assert.equal((await events.next()).value, `endpoints ${version + 3_000} `);
    api.control.running = [];
    api.see();
    assert.equal((await events.next()).value, "gone undefined ");
    assert.equal((await events.next()).done, true);
  });

  test("goes on for who says what it has seen", async () => {
    await using api = await startSeeing(1);
    const { version } = await api.read();
    const headers = { ...EVENTS.headers, "last-event-id": String(version) };
    const events = eventsOf(await api.fetch("/v1/services/shop_web/endpoints", { headers }));
    const next = events.next();
    assert.equal(await Promise.race([next, sleep(200, "nothing new")]), "nothing new");
    api.see(2);
    assert.equal((await next).value, `endpoints ${version + 1_000} 2`);
  });

  test("is only described to who asks for its head", async () => {
    await using api = await startSeeing(1);
    const response = await api.fetch("/v1/endpoints", { method: "HEAD", ...EVENTS });
    assert.equal(response.status, 200);
    assert.equal(await response.text(), "");
  });

  test("ends when the API closes, as waits do, long before they would be cut", async () => {
    await using api = await startSeeing(1);
    const now = await api.read();
    const events = eventsOf(await api.fetch("/v1/endpoints", EVENTS));
    await events.next();
    const waiting = api.read(`?after=${now.version}&wait=1m`);
    await sleep(100);
    await api.api[Symbol.asyncDispose]();
    assert.equal((await events.next()).done, true);
    assert.deepEqual(await waiting, now);
  });
});

describe("who waits", () => {
  test("is one of a bounded number, and leaves a place when it goes", async () => {
    await using api = await startSeeing(1);
    const { version } = await api.read();
    const seats: Disposable[] = [];
    const isFull = () => {
      try {
        seats.push(api.control.discovery.seat());
        return false;
      } catch {
        return true;
      }
    };
    const stream = request(`${api.url}/v1/endpoints`, EVENTS);
    stream.end();
    const [answer] = (await once(stream, "response")) as [IncomingMessage];
    assert.equal(answer.statusCode, 200);
    while (!isFull());

    const refused = await api.fetch(`/v1/endpoints?after=${version}&wait=1m`);
    assert.equal(refused.headers.get("retry-after"), "5");
    assert.equal((await problem(refused)).code, "TOO_MANY_CLIENTS");
    assert.equal((await problem(await api.fetch("/v1/endpoints", EVENTS))).code, "TOO_MANY_CLIENTS");
    // Who does not wait takes no place.
    assert.equal((await api.read()).version, version);

    const held = seats.length;
    answer.destroy();
    while (isFull()) await sleep(10);
    assert.equal(seats.length, held + 1);
    for (const seat of seats) seat[Symbol.dispose]();
  });

  test("leaves a place when the connection of a wait is cut", async () => {
    await using api = await startSeeing(1);
    const { version } = await api.read();
    const socket = connect(api.port, "127.0.0.1");
    socket.write(`GET /v1/endpoints?after=${version}&wait=5m HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    const count = () => {
      const seats: Disposable[] = [];
      try {
        for (;;) seats.push(api.control.discovery.seat());
      } catch {
        for (const seat of seats) seat[Symbol.dispose]();
        return seats.length;
      }
    };
    const all = count();
    while (count() === all) await sleep(10);
    socket.destroy();
    while (count() < all) await sleep(10);
  });
});

test("Prometheus finds the target groups as it wants them", async () => {
  await using api = await startSeeing(1);
  const answer = await api.fetch("/v1/sd/prometheus");
  assert.equal(answer.headers.get("content-type"), "application/json; charset=utf-8");
  const groups = (await answer.json()) as { targets: string[] }[];
  assert.deepEqual(
    groups.map(({ targets }) => targets),
    [["127.0.0.1:28001"]],
  );
  const [error] = (await problem(await api.fetch("/v1/sd/prometheus?port=8080"))).errors ?? [];
  assert.equal(error?.at, "?port");
});
