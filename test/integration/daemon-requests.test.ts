import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";
import { eventually, FlyballHouse } from "./flyball-daemon.ts";

/** Answers at once, and says how many requests it had and how long they took. */
const SERVER = `
  const http = require("node:http");
  let count = 0;
  http.createServer((request, response) => {
    if (request.url !== "/metrics") {
      count += 1;
      return response.end("hello");
    }
    const name = "http_request_duration_seconds";
    response.end("# TYPE " + name + " histogram\\n" + ["0.1", "1", "+Inf"]
      .map((bound) => name + '_bucket{le="' + bound + '"} ' + count + "\\n").join("")
      + name + "_sum " + 0.05 * count + "\\n" + name + "_count " + count + "\\n");
  }).listen(Number(process.env.PORT), "127.0.0.1");
  process.on("SIGTERM", () => process.exit(0));
`;

test("a service scales by the requests that its replicas count, and goes back when nobody asks", async (t) => {
  const house = await FlyballHouse.open(t);
  house.write("server.cjs", SERVER);
  const file = house.compose(`  web:
    image: flyball/busybox:lab
    command: ["${process.execPath}", "server.cjs"]
    ports: ["8080"]
    labels:
      autoscale.max_rps: "20"
      autoscale.max_latency: 500ms
      autoscale.max: "3"
      autoscale.window: 4s
      autoscale.stabilization: 2s
      metrics.port: "8080"
      probe.tcp: ":8080"
`);
  await house.serve();
  await house.must("up", "-f", file);
  await house.untilHas(1);
  const id = house.serviceId();
  const agent = new http.Agent({ keepAlive: true });
  let turn = 0;
  let ports: number[] = [];
  const load = setInterval(() => {
    const port = ports[turn % ports.length];
    turn += 1;
    if (port !== undefined) {
      http.get({ host: "127.0.0.1", port, agent }, (answer) => answer.resume()).on("error", () => {});
    }
  }, 20);
  t.after(() => clearInterval(load));
  await eventually("three replicas share 50 requests a second", async () => {
    const { replicaList } = await house.client.service(id);
    ports = replicaList.flatMap(({ state, endpoints }) =>
      state === "running" ? endpoints.map(({ port }) => port) : [],
    );
    return ports.length === 3;
  });
  const explained = await house.must("explain", "web");
  assert.match(explained, /rps at [\d.]+\/s per replica/);
  assert.match(explained, /latency at \d+ ms/);
  clearInterval(load);
  agent.destroy();
  await house.untilHas(1);
  await house.must("down", "-f", file);
  await house.untilHas(0);
});
