import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";
import { freePort } from "../lab/free-port.ts";
import { allBalancers } from "./traffic-balancers.ts";
import { Stage, serviceWith } from "./traffic-stage.ts";

const http = { mode: "http" as const, port: 80, domains: [], path: "/" };

for (const program of allBalancers()) {
  const { name, skip } = program;

  describe(`doors of ${name}`, { skip }, () => {
    test("lead by host and path, the longest path first; who had a name keeps it, and nobody's is answered 404", async () => {
      await using stage = await Stage.open(program);
      const shop = { domains: ["shop.example"] };
      stage.services = [
        serviceWith("shop_web", { doors: [{ ...http, ...shop }] }),
        serviceWith("shop_api", { doors: [{ ...http, ...shop, path: "/api" }] }),
      ];
      await stage.add("web-1");
      await stage.add("api-1", "shop_api");
      await stage.add("late-1", "a_late");
      stage.tell();
      const bodyOf = async (path: string) => (await stage.get(path, { host: "shop.example" })).body;
      await stage.until(async () => (await stage.open()).length === 2);
      assert.deepEqual(await Promise.all(["/", "/api", "/api/x?y", "/apiary"].map(bodyOf)), [
        "web-1",
        "api-1",
        "api-1",
        "web-1",
      ]);
      assert.equal((await stage.get("/", { host: "other.example" })).status, 404);
      stage.services = [
        serviceWith("a_late", { doors: [{ ...http, domains: ["shop.example", "late.example"] }] }),
        ...stage.services,
      ];
      stage.tell();
      await stage.until(async () => (await stage.get("/", { host: "late.example:80" })).body === "late-1");
      assert.equal(await bodyOf("/"), "web-1");
      const [held] = stage.traffic.status().held;
      assert.equal(held?.reason, "shop_web has it already");
    });

    test("of tcp pass connections on as they are, and a replica that leaves keeps those that it has", async () => {
      await using stage = await Stage.open(program);
      const port = await freePort();
      const door = { ...http, mode: "tcp" as const, listen: { port } };
      stage.services = [serviceWith("shop_web", { doors: [door] })];
      await stage.add("web-1");
      stage.tell();
      await stage.until(async () => (await stage.open()).length === 1);
      const ask = async () => {
        const client = connect(port, "127.0.0.1");
        client.end("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        return (await text(client)).split("\r\n\r\n")[1] ?? "";
      };
      assert.match(await ask(), /web-1/);
      const open = connect(port, "127.0.0.1");
      open.write("GET /slow/800 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
      const answered = text(open);
      await stage.until(() => stage.replicas.some(({ requests }) => requests === 2));
      await stage.add("web-2");
      stage.tell();
      await stage.until(async () => (await stage.open()).length === 2);
      await stage.traffic.drain("web-1", 20_000);
      assert.match(await answered, /web-1/);
      assert.match(await ask(), /web-2/);
      await stage.until(() => (stage.reading()?.requestsTotal ?? 0) === 3);
    });

    test("tell a replica who asks, pass bodies and answers of every kind on, and keep connections", async () => {
      await using stage = await Stage.open(program);
      await using replica = createServer(async (request, response) => {
        const body = await text(request);
        const { connection, "x-forwarded-for": client, host } = request.headers;
        if (request.url === "/cookies") response.setHeader("set-cookie", ["a=1", "b=2"]);
        if (request.url === "/cut") {
          response.writeHead(200, { "content-length": 100 }).write("half");
          setImmediate(() => response.destroy());
          return;
        }
        response.end(JSON.stringify({ method: request.method, size: body.length, client, host, connection }));
      }).listen(0, "127.0.0.1");
      await once(replica, "listening");
      const { port } = replica.address() as AddressInfo;
      stage.services = [serviceWith("shop_web")];
      const like = await stage.add("web-1");
      stage.tell({
        replicas: [{ ...like.observed(), endpoints: [{ targetPort: 80, host: "127.0.0.1", port }] }],
      });
      await stage.until(async () => (await stage.open()).length === 1);
      const body = "x".repeat(300_000);
      const posted = await fetch(`${stage.url}/`, { method: "POST", body });
      const seen = (await posted.json()) as Record<string, unknown>;
      assert.deepEqual([seen["method"], seen["size"], seen["client"]], ["POST", body.length, "127.0.0.1"]);
      assert.equal(seen["host"], `127.0.0.1:${stage.port}`);
      const chunks = new ReadableStream({
        start(controller) {
          for (let index = 0; index < 10; index += 1) controller.enqueue(new TextEncoder().encode("chunk"));
          controller.close();
        },
      });
      const init = { method: "PUT", body: chunks, duplex: "half" } as RequestInit;
      assert.equal(((await (await fetch(`${stage.url}/`, init)).json()) as { size: number }).size, 50);
      const cookies = await fetch(`${stage.url}/cookies`);
      assert.deepEqual(cookies.headers.getSetCookie(), ["a=1", "b=2"]);
      const head = await fetch(`${stage.url}/`, { method: "HEAD" });
      assert.deepEqual([head.status, await head.text()], [200, ""]);
      await assert.rejects(fetch(`${stage.url}/cut`).then((answer) => answer.text()));
      await stage.until(() => (stage.reading()?.requestsTotal ?? 0) >= 5);
      await stage.until(() => stage.reading()?.open === 0);
    });
  });
}
