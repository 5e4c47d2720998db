import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { describe, test } from "node:test";
import { PortPool, portsFrom, preferredPort } from "../../../../orchestrator/engines/process/ports.ts";
import { Lab, serviceOf, shell } from "./harness.ts";

const RANGE: readonly [number, number] = [21_870, 21_877];

async function occupy(port: number): Promise<AsyncDisposable> {
  const server = createServer().listen(port, "127.0.0.1");
  await once(server, "listening");
  return { [Symbol.asyncDispose]: async () => void (await once(server.close(), "close")) };
}

describe("ports", () => {
  test("every port of the range is tried once, from the preferred one on", () => {
    assert.deepEqual(
      [...portsFrom(21_875, RANGE)],
      [21_875, 21_876, 21_877, 21_870, 21_871, 21_872, 21_873, 21_874],
    );
    for (let slot = 1; slot < 100; slot += 1) {
      const port = preferredPort("shop_web", slot, RANGE);
      assert.ok(port >= RANGE[0] && port <= RANGE[1]);
    }
  });

  test("no port is given twice, even to those who ask together, and a used-up range says so", async () => {
    const pool = new PortPool(RANGE);
    const slots = [1, 2, 3, 4, 5, 6, 7, 8];
    const ports = await Promise.all(slots.map((slot) => pool.take(`replica ${slot}`, "shop_web", slot)));
    assert.equal(new Set(ports).size, 8);
    await assert.rejects(pool.take("one more", "shop_web", 9), {
      code: "ENGINE_REFUSED",
      message: /21870-21877/u,
    });
    pool.release("replica 3");
    assert.equal(await pool.take("one more", "shop_web", 9), ports[2]);
  });

  test("a port that somebody listens on is not given", async () => {
    const preferred = preferredPort("shop_web", 1, RANGE);
    await using _ = await occupy(preferred);
    assert.notEqual(await new PortPool(RANGE).take("replica", "shop_web", 1), preferred);
  });

  test("a seat keeps its port when its replica is replaced, and two of one seat do not share it", async (t) => {
    const lab = await Lab.open(t);
    const driver = await lab.engine({ portRange: RANGE });
    const port = async (id: string): Promise<number | undefined> =>
      (await driver.seen(id)).endpoints[0]?.port;
    const first = await driver.run(shell("exec sleep 600", { ports: [{ target: 80, protocol: "tcp" }] }));
    assert.equal((await driver.seen(first)).endpoints[0]?.targetPort, 80);
    const second = await driver.run(shell("exec sleep 600"));
    const before = await port(first);
    assert.notEqual(await port(second), before);
    await driver.remove(first);
    assert.equal(await port(await driver.create(shell("exec sleep 600"))), before);
  });

  test("a replica whose port was taken while it did not run is given another", async (t) => {
    const lab = await Lab.open(t);
    const driver = await lab.engine({ portRange: RANGE });
    const id = await driver.create(serviceOf({ command: ["/bin/sh", "-c", 'echo "port $PORT"; sleep 600'] }));
    const before = (await driver.seen(id)).endpoints[0]?.port;
    assert.ok(before !== undefined);
    await using _ = await occupy(before);
    await driver.start(id);
    const [, port] = await driver.wrote(id, /port (\d+)/u);
    assert.notEqual(Number(port), before);
    assert.deepEqual((await driver.seen(id)).endpoints, [
      { targetPort: Number(port), host: "127.0.0.1", port: Number(port) },
    ]);
  });
});
