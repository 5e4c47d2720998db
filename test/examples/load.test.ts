import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { LoadGenerator, type LoadOutcome } from "../../examples/demo/load.ts";
import { startShop } from "./shop-server.ts";

async function serve(t: TestContext, listener: RequestListener): Promise<{ server: Server; port: number }> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

function generate(t: TestContext) {
  const outcomes: LoadOutcome[] = [];
  const generator = new LoadGenerator("/", (outcome) => outcomes.push(outcome));
  t.after(() => generator.stop());
  return { generator, outcomes };
}

const target = (id: string, port: number) => ({ id, host: "127.0.0.1", port });

describe("the load generator", () => {
  test("spreads requests evenly over the replicas and counts every one", async (t) => {
    const served = { a: 0, b: 0 };
    const a = await serve(t, (_request, response) => {
      served.a += 1;
      response.end("ok");
    });
    const b = await serve(t, (_request, response) => {
      served.b += 1;
      response.end("ok");
    });
    const { generator, outcomes } = generate(t);
    generator.setTargets([target("a", a.port), target("b", b.port)]);
    generator.setRate(200);
    await sleep(300);
    await generator.finish();
    assert.ok(outcomes.length > 10);
    assert.equal(outcomes.length, generator.counts.requests);
    assert.equal(served.a + served.b, outcomes.length);
    assert.ok(Math.abs(served.a - served.b) <= 1, `${served.a} and ${served.b}`);
    assert.deepEqual(generator.counts, {
      requests: outcomes.length,
      failed: 0,
      retried: 0,
      inFlight: 0,
      waiting: 0,
    });
  });

  test("counts an answer other than 200 as a failure and says which", async (t) => {
    const { port } = await serve(t, (_request, response) => response.writeHead(503).end());
    const { generator, outcomes } = generate(t);
    generator.setTargets([target("a", port)]);
    generator.setRate(100);
    await sleep(100);
    await generator.finish();
    assert.ok(outcomes.length > 0);
    assert.equal(generator.counts.failed, outcomes.length);
    assert.equal(outcomes[0]?.failure, "answered 503");
  });

  test("counts an answer that is cut short as a failure", async (t) => {
    const { port } = await serve(t, (_request, response) => {
      response.writeHead(200, { "content-length": "100" }).write("half");
      setTimeout(() => response.destroy(), 5);
    });
    const { generator } = generate(t);
    generator.setTargets([target("a", port)]);
    generator.setRate(50);
    await sleep(100);
    await generator.finish();
    assert.ok(generator.counts.requests > 0);
    assert.equal(generator.counts.failed, generator.counts.requests);
  });

  test("counts the requests that a replica takes with it when it dies", async (t) => {
    const { port, shop, ended } = await startShop(t);
    const { generator, outcomes } = generate(t);
    generator.setTargets([target("a", port)]);
    generator.setRate(60);
    await sleep(500);
    assert.equal(generator.counts.failed, 0);
    shop.kill("SIGKILL");
    await ended;
    await sleep(200);
    await generator.finish();
    assert.ok(outcomes.some(({ failure }) => failure === undefined));
    assert.ok(generator.counts.failed > 0);
    assert.equal(outcomes.filter(({ failure }) => failure !== undefined).length, generator.counts.failed);
  });

  test("loses nothing when the shop is told to stop and the replica is dropped at once", async (t) => {
    const leaving = await startShop(t);
    const staying = await startShop(t);
    const { generator, outcomes } = generate(t);
    generator.setTargets([target("a", leaving.port), target("b", staying.port)]);
    generator.setRate(60);
    await sleep(300);
    leaving.shop.kill("SIGTERM");
    generator.setTargets([target("b", staying.port)]);
    const [status] = await leaving.ended;
    await generator.finish();
    assert.equal(status, 0);
    assert.ok(outcomes.some(({ replica }) => replica === "a"));
    assert.equal(generator.counts.failed, 0);
  });

  test("tries once more elsewhere when a connection was closed while it was idle", async (t) => {
    // Answers the first request on a connection and resets the connection at the second.
    const closing = await serve(t, (request, response) => {
      const isFirst = !seen.has(request.socket);
      seen.add(request.socket);
      if (isFirst) response.end("ok");
      else request.socket.resetAndDestroy();
    });
    const seen = new Set<unknown>();
    const { generator } = generate(t);
    generator.setTargets([target("a", closing.port)]);
    generator.setRate(20);
    await sleep(300);
    await generator.finish();
    assert.ok(generator.counts.retried > 0);
    assert.equal(generator.counts.failed, 0);
  });

  test("does not try again what may have been under way", async (t) => {
    const late = await serve(t, (request, response) => {
      if (!seen.has(request.socket)) {
        seen.add(request.socket);
        response.end("ok");
      } else setTimeout(() => request.socket.resetAndDestroy(), 60);
    });
    const seen = new Set<unknown>();
    const { generator } = generate(t);
    generator.setTargets([target("a", late.port)]);
    generator.setRate(10);
    await sleep(350);
    await generator.finish();
    assert.equal(generator.counts.retried, 0);
    assert.ok(generator.counts.failed > 0);
  });

  test("requests that no replica has room for wait, and go to the replica that comes", async (t) => {
    const released = Promise.withResolvers<void>();
    const slow = await serve(t, (_request, response) => released.promise.then(() => response.end("ok")));
    const quick = await serve(t, (_request, response) => response.end("ok"));
    const { generator, outcomes } = generate(t);
    generator.setTargets([target("slow", slow.port)]);
    generator.setRate(200);
    await sleep(200);
    assert.ok(generator.counts.waiting > 0);
    assert.ok(generator.counts.inFlight < 200 * 0.2);
    generator.setTargets([target("slow", slow.port), target("quick", quick.port)]);
    await sleep(200);
    assert.ok(outcomes.some(({ replica }) => replica === "quick"));
    released.resolve();
    await generator.finish();
    assert.equal(generator.counts.failed, 0);
  });
});
