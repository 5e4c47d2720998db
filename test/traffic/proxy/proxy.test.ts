import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener, request, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";
import { systemClock } from "../../../core/clock.ts";
import type { ObservedReplica } from "../../../core/types.ts";
import { Refusal } from "../../../traffic/balancer.ts";
import { ProxyBalancer } from "../../../traffic/proxy/proxy.ts";
import type { TableInput } from "../../../traffic/table.ts";
import { freePort } from "../../lab/free-port.ts";
import { door, replica, service, table } from "../builders.ts";

async function serving(answer: RequestListener): Promise<Server & AsyncDisposable> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function at(id: string, port: number): ObservedReplica {
  return replica(id, "web", { endpoints: [{ targetPort: 80, host: "127.0.0.1", port }] });
}

/** A balancer with one service that these serve. */
async function start(replicas: readonly ObservedReplica[], more: Partial<TableInput> = {}) {
  const balancer = new ProxyBalancer({ clock: systemClock });
  const http = { host: "127.0.0.1", port: await freePort() };
  const wanted = (input: Partial<TableInput>) =>
    table({ http, services: [service("web", [door()], { timeoutMs: 300 })], replicas, ...input });
  await balancer.bring(wanted(more), true);
  const counted = async () => {
    const { counted: all } = await balancer.snapshot(0);
    return Object.fromEntries(
      all.map(({ backend, server, requests, errors, open }) => [server ?? backend, [requests, errors, open]]),
    );
  };
  return {
    balancer,
    wanted,
    counted,
    url: `http://127.0.0.1:${http.port}`,
    [Symbol.asyncDispose]: () => balancer[Symbol.asyncDispose](),
  };
}

describe("the built-in balancer", () => {
  test("gives a request whose replica cannot be reached to another one, body and all", async () => {
    await using here = await serving(async (asked, response) => response.end(await text(asked)));
    const nobody = await freePort();
    await using on = await start([at("a-gone", nobody), at("b-here", portOf(here))]);
    const bodies = await Promise.all(
      ["one", "two", "three"].map((body) =>
        fetch(on.url, { method: "POST", body }).then((one) => one.text()),
      ),
    );
    assert.deepEqual(bodies, ["one", "two", "three"]);
    const counted = await on.counted();
    assert.deepEqual(counted["web:80"]?.slice(0, 2), [3, 0]);
    assert.deepEqual(counted["b-here"]?.slice(0, 2), [3, 0]);
    const [tried = 0, failed] = counted["a-gone"] ?? [];
    assert.ok(tried > 0 && failed === tried);
  });

  test("sends nothing twice that may have been done, and says that its replica has ended", async () => {
    let asked = 0;
    await using dying = await serving((_, response) => {
      asked += 1;
      response.destroy();
    });
    await using on = await start([at("a", portOf(dying)), at("b", portOf(dying))]);
    const answer = await fetch(on.url, { method: "POST", body: "pay" });
    assert.deepEqual([answer.status, asked], [502, 1]);
    assert.deepEqual((await on.counted())["web:80"], [1, 1, 0]);
  });

  test("asks somebody else what may be asked twice, and counts it once", async () => {
    await using dying = await serving((_, response) => response.destroy());
    await using here = await serving((_, response) => response.end("here"));
    await using on = await start([at("a", portOf(dying)), at("b", portOf(here))]);
    const bodies = await Promise.all([1, 2, 3, 4].map(() => fetch(on.url).then((answer) => answer.text())));
    assert.deepEqual([...new Set(bodies)], ["here"]);
    assert.deepEqual((await on.counted())["web:80"], [4, 0, 0]);
  });

  test("a replica that closes an idle connection under a request is asked again at once, and has not failed", async () => {
    let isRude = false;
    await using here = await serving((asked, response) => {
      if (isRude) {
        isRude = false;
        asked.socket.destroy();
      } else response.end("here");
    });
    await using on = await start([at("a", portOf(here))]);
    assert.equal(await (await fetch(on.url)).text(), "here");
    isRude = true;
    assert.equal(await (await fetch(on.url)).text(), "here");
    assert.deepEqual(await on.counted(), { "web:80": [2, 0, 0], a: [2, 0, 0] });
  });

  test("waits for an answer as long as is said, and counts what failed and how long the rest took", async () => {
    await using here = await serving(({ url }, response) => {
      if (url !== "/never") response.writeHead(url === "/fail" ? 500 : 200).end();
    });
    await using on = await start([at("a", portOf(here))]);
    const statuses = await Promise.all(
      ["/", "/fail", "/never"].map((path) => fetch(on.url + path).then(({ status }) => status)),
    );
    assert.deepEqual(statuses, [200, 500, 504]);
    assert.deepEqual(await on.counted(), { "web:80": [3, 2, 0], a: [3, 2, 0] });
    const { latencies } = await on.balancer.snapshot(0);
    assert.equal(
      latencies.get("a")?.reduce((sum, count) => sum + count, 0),
      2,
    );
  });

  test("answers 503 where nobody serves, and 404 where nobody is meant", async () => {
    await using on = await start([], { services: [service("web", [door({ domains: ["a.example"] })])] });
    const ask = async (host: string) => {
      const asked = request(on.url, { headers: { host } }).end();
      const [answer] = await once(asked, "response");
      answer.resume();
      return answer.statusCode;
    };
    assert.deepEqual([await ask("a.example"), await ask("b.example")], [503, 404]);
    assert.deepEqual(await on.counted(), { "web:80": [1, 1, 0] });
  });

  test("lives on when a replica speaks no HTTP", async () => {
    const odd = createTcpServer((socket) => {
      socket.on("error", () => {});
      socket.end("HTTP/1.1 200 OK\r\nx-odd: a\u0001b\r\ncontent-length: 0\r\n\r\n");
    }).listen(0, "127.0.0.1");
    await once(odd, "listening");
    await using on = await start([at("a", (odd.address() as AddressInfo).port)]);
    assert.equal((await fetch(on.url, { method: "POST" })).status, 502);
    odd.close();
  });

  test("a client that leaves is no failure, and its replica is told", async () => {
    const left = Promise.withResolvers<void>();
    const came = Promise.withResolvers<void>();
    await using here = await serving((_, response) => {
      came.resolve();
      response.once("close", () => left.resolve());
    });
    await using on = await start([at("a", portOf(here))], { services: [service("web")] });
    const leaving = new AbortController();
    const asked = fetch(on.url, { signal: leaving.signal });
    await came.promise;
    assert.deepEqual((await on.counted())["a"], [1, 0, 1]);
    leaving.abort();
    await assert.rejects(asked);
    await left.promise;
    while ((await on.counted())["a"]?.[2] !== 0) await new Promise(setImmediate);
    assert.deepEqual(await on.counted(), { "web:80": [1, 0, 0], a: [1, 0, 0] });
  });

  test("a websocket that the replica does not want is answered as the replica says", async () => {
    await using here = await serving((_, response) => response.end());
    here.on("upgrade", (_, socket) => socket.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno"));
    await using on = await start([at("a", portOf(here))]);
    const headers = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-key": "x" };
    const [answer] = await once(request(on.url, { headers }).end(), "response");
    assert.deepEqual([answer.statusCode, await text(answer)], [403, "no"]);
    while ((await on.counted())["a"]?.[2] !== 0) await new Promise(setImmediate);
  });

  test("an upgrade to anything else is a request like others", async () => {
    await using here = await serving(({ headers }, response) => response.end(headers.upgrade ?? "plain"));
    await using on = await start([at("a", portOf(here))]);
    const headers = { connection: "Upgrade, HTTP2-Settings", upgrade: "h2c", "http2-settings": "x" };
    const [answer] = await once(request(on.url, { headers }).end(), "response");
    assert.equal(await text(answer), "plain");
  });

  test("changes no door where one of them cannot be had, and servers come and go all the same", async () => {
    await using here = await serving((_, response) => response.end("here"));
    await using on = await start([]);
    const taken = portOf(here);
    const services = [service("web"), service("api", [door({ listen: { port: taken } })])];
    const more = { services, replicas: [at("a", portOf(here))] };
    await assert.rejects(on.balancer.bring(on.wanted(more), true), (error) => {
      assert.ok(error instanceof Refusal);
      assert.match(error.message, /another program listens there/);
      return true;
    });
    assert.equal(await (await fetch(on.url)).text(), "here");
    assert.deepEqual(
      (await on.balancer.running()).servers.map(({ name }) => name),
      ["a"],
    );
    const other = await freePort();
    const free = { ...more, services: [service("web"), service("api", [door({ listen: { port: other } })])] };
    assert.equal(await on.balancer.bring(on.wanted(free), true), "reload");
    assert.equal((await fetch(`http://127.0.0.1:${other}`)).status, 503);
  });

  test("a door that is asked for no more takes nobody new, and ends what it has", async () => {
    const answered = Promise.withResolvers<void>();
    await using here = await serving(async (_, response) => {
      await answered.promise;
      response.end("late");
    });
    await using on = await start([at("a", portOf(here))], { services: [service("web")] });
    const asked = fetch(on.url);
    while ((await on.counted())["a"]?.[2] !== 1) await new Promise(setImmediate);
    await on.balancer.stop();
    assert.equal(on.balancer.runs, false);
    await assert.rejects(fetch(on.url));
    answered.resolve();
    assert.equal(await (await asked).text(), "late");
  });
});
