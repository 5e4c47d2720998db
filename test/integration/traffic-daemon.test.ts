import assert from "node:assert/strict";
import { get, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { isAlive } from "../../traffic/haproxy/alive.ts";
import { leftMaster } from "../../traffic/haproxy/process.ts";
import { freePort } from "../lab/free-port.ts";
import { eventually, FlyballHouse } from "./flyball-daemon.ts";
import { allBalancers, haproxyBalancers } from "./traffic-balancers.ts";

/** Answers after a while with what it is; ends as soon as it is told to, whatever it is doing. */
const SERVER = `
import { createServer } from "node:http";
const server = createServer((request, response) =>
  setTimeout(() => response.end(process.env.TEST_VERSION + " " + process.env.FLYBALL_SLOT), 30),
);
server.keepAliveTimeout = 120_000;
server.listen(process.env.PORT, "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
`;

/** Asks without a pause, several at a time, and keeps what came. */
class Asking {
  readonly statuses = new Map<string, number>();
  readonly bodies = new Set<string>();
  #isOver = false;
  readonly #askers: readonly Promise<void>[];

  constructor(url: string, askers: number) {
    this.#askers = Array.from({ length: askers }, () => this.#ask(url));
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#askers);
  }

  async #ask(url: string): Promise<void> {
    while (!this.#isOver) {
      const { status, body } = await fetchOnce(url).catch((error: Error) => ({
        status: error.message,
        body: "",
      }));
      this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
      this.bodies.add(body);
    }
  }
}

function fetchOnce(url: string): Promise<{ status: string; body: string }> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (response: IncomingMessage) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => (body += chunk));
      response.on("end", () => resolve({ status: String(response.statusCode), body }));
      response.on("error", reject);
    }).on("error", reject);
  });
}

async function openHouse(t: TestContext, haproxy: string) {
  const port = await freePort();
  const house = await FlyballHouse.open(t, undefined, {
    FLYBALL_TRAFFIC_HTTP: `127.0.0.1:${port}`,
    FLYBALL_HAPROXY: haproxy,
  });
  house.defer(async () => {
    const pid = haproxyPid(house);
    if (pid !== undefined && isAlive(pid)) process.kill(pid, "SIGKILL");
  });
  house.write("server.mjs", SERVER);
  return { house, url: `http://127.0.0.1:${port}/` };
}

function haproxyPid(house: FlyballHouse): number | undefined {
  return leftMaster(join(house.dataDirectory, "traffic"));
}

const compose = (house: FlyballHouse, version: string, more = "") =>
  house.compose(`  web:
    image: none
    command: ["${process.execPath}", "server.mjs"]
    environment: { TEST_VERSION: "${version}" }
    stop_grace_period: 5s
    deploy: { replicas: 2, update_config: { monitor: 1s } }
    labels:
      lb.port: "80"
      probe.http: /
${more}`);

for (const { name, path, skip, isHaproxy } of allBalancers()) {
  const killed = isHaproxy ? "is killed" : "stays";

  describe(`a daemon with ${name}`, { skip }, () => {
    test(`scales, rolls out and ${killed} under requests, and none of them fails`, async (t) => {
      const { house, url } = await openHouse(t, path);
      await house.serve();
      await house.must("up", "-f", compose(house, "one"));
      await eventually(
        "it answers",
        async () => (await fetchOnce(url).catch(() => undefined))?.status === "200",
      );
      const asking = new Asking(url, 4);
      await house.must("scale", "web=4");
      await house.untilHas(4);
      await eventually("all four are asked", () => asking.bodies.size === 4);
      await house.must("scale", "web=1");
      await house.untilHas(1);
      if (isHaproxy) {
        await house.kill();
        await house.serve();
      }
      await house.must("scale", "web=2");
      await house.untilHas(2);
      await house.must("up", "-f", compose(house, "two"));
      await eventually("only the new version is left", async () => {
        const seen = await house.seen();
        return seen.length === 2 && seen.every(({ version }) => version === "two");
      });
      await asking.stop();
      assert.deepEqual([...asking.statuses.keys()], ["200"], JSON.stringify([...asking.statuses]));
      assert.ok([...asking.bodies].some((body) => body.startsWith("two")));
      assert.match(await metricsOf(house), /^flyball_traffic_requests_total\{service=".*_web"\} [1-9]/m);
      const pid = haproxyPid(house);
      await house.must("down");
      assert.equal(pid !== undefined, isHaproxy);
      await eventually("HAProxy ends when nobody asks for it", () => pid === undefined || !isAlive(pid));
      assert.equal(await house.stop(), 0);
    });
  });
}

describe("requests that the balancer counts", () => {
  const [program] = haproxyBalancers();

  test("scale a service out, and their end scales it in", { skip: program?.skip ?? true }, async (t) => {
    const { house, url } = await openHouse(t, program?.path ?? "");
    await house.serve();
    const rules = `      autoscale.max_rps: "40"
      autoscale.max: "3"
      autoscale.min: "2"
      autoscale.window: 2s
      autoscale.cooldown: 1s
      autoscale.stabilization: 2s
`;
    await house.must("up", "-f", compose(house, "one", rules));
    await eventually(
      "it answers",
      async () => (await fetchOnce(url).catch(() => undefined))?.status === "200",
    );
    const asking = new Asking(url, 8);
    await house.untilHas(3);
    await asking.stop();
    await house.untilHas(2);
    assert.deepEqual([...asking.statuses.keys()], ["200"], JSON.stringify([...asking.statuses]));
    await house.must("down");
    assert.equal(await house.stop(), 0);
  });
});

async function metricsOf(house: FlyballHouse): Promise<string> {
  return await (await fetch(`${house.address}/metrics`)).text();
}
