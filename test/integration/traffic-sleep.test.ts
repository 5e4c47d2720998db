import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { freePort } from "../lab/free-port.ts";
import { eventually, FlyballHouse } from "./flyball-daemon.ts";
import { endHaproxy } from "./haproxy-end.ts";
import { allBalancers } from "./traffic-balancers.ts";

/** Answers with what it was asked, says every websocket's words back, and ends when it is told to. */
const SERVER = `
import { createServer } from "node:http";
import { WebSocketServer } from "ws";
const server = createServer(async (request, response) => {
  let body = "";
  for await (const chunk of request) body += chunk;
  response.end(process.env.NAME + " " + request.method + " " + request.url + " " + body);
});
const sockets = new WebSocketServer({ server });
sockets.on("connection", (socket) => socket.on("message", (data) => socket.send(String(data))));
server.keepAliveTimeout = 120_000;
server.listen(process.env.PORT, "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
`;

describe("a service with autoscale.min 0", { concurrency: true }, () => {
  for (const { name, path, skip } of allBalancers()) {
    test(`behind ${name} has no replica while nobody uses it, and answers whoever asks all the same`, {
      skip,
    }, async (t) => {
      const port = await freePort();
      const house = await FlyballHouse.open(t, undefined, {
        FLYBALL_TRAFFIC_HTTP: `127.0.0.1:${port}`,
        FLYBALL_HAPROXY: path,
      });
      house.defer(async () => endHaproxy(house));
      const server = house.write(
        "server.mjs",
        SERVER.replace('"ws"', JSON.stringify(import.meta.resolve("ws"))),
      );
      const sleeping = (service: string, more = "") => `  ${service}:
    image: flyball/node:lab
    command: ["${process.execPath}", "${server}"]
    environment: { NAME: ${service} }
    expose: ["80"]
    labels:
      lb.port: "80"
      lb.path: /${service}
      autoscale.max_cpu: "70"
      autoscale.min: "0"
      autoscale.idle: 3s
${more}`;
      const file = house.compose(`${sleeping("web", "    depends_on: [api]\n")}${sleeping("api")}`);
      await house.serve();
      await house.must("up", "-f", file);
      const url = `http://127.0.0.1:${port}`;
      // Until the balancer listens nobody answers at all.
      await eventually("it answers", () =>
        fetch(`${url}/web`).then(
          ({ status }) => status === 200,
          () => false,
        ),
      );

      // On a slow machine it may be about to sleep by now; a websocket that was counted keeps it awake.
      const socket = await eventually("a websocket is open and the service is awake", async () => {
        const one = new WebSocket(`ws://127.0.0.1:${port}/web/live`);
        const isOpen = await once(one, "open").then(
          () => true,
          () => false,
        );
        await sleep(2_500);
        if (isOpen && (await house.counts()).desired === 1) return one;
        one.terminate();
        return undefined;
      });
      // An open websocket is use, however still it is.
      await sleep(5_000);
      assert.equal((await house.counts()).desired, 1);
      socket.send("still here");
      const [echo] = await once(socket, "message");
      assert.equal(String(echo), "still here");
      socket.terminate();

      await eventually("both sleep", async () => {
        const services = await house.client.services();
        return services.every(({ replicas }) => replicas.desired === 0 && replicas.running === 0);
      });
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          fetch(`${url}/web/${i}`, { method: "POST", body: `body ${i}` }).then((response) => response.text()),
        ),
      );
      assert.deepEqual(
        answers,
        answers.map((_, i) => `web POST /web/${i} body ${i}`),
      );
      await eventually("what it needs was woken with it", async () => {
        const api = await house.client.service(house.serviceId("api"));
        return api.replicas.ready === 1;
      });
      const explained = await house.must("decisions", "web", "--changes");
      assert.match(explained, /nobody has used it for 3s/);
      assert.match(explained, /somebody waits for it/);
      await house.must("down", "-f", file);
      await eventually("the project is forgotten", async () => (await house.client.services()).length === 0);
      assert.equal(await house.stop(), 0);
    });
  }
});
