import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { calibrate, ratesFor, readLimitCores } from "../../examples/demo/calibrate.ts";
import { SHOP, SHOP_SERVER, startShop } from "./shop-server.ts";

describe("the shop", () => {
  test("every request costs CPU, and a question after its health does not", async (t) => {
    const { port } = await startShop(t);
    const url = `http://127.0.0.1:${port}`;
    const cpuMs = async () => (await (await fetch(url)).json()) as { cpuMs: number };
    await cpuMs();
    const before = await cpuMs();
    for (let i = 0; i < 9; i += 1) await cpuMs();
    const after = await cpuMs();
    assert.ok(after.cpuMs - before.cpuMs > 10, `${before.cpuMs} to ${after.cpuMs}`);
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
    assert.equal((await fetch(`${url}/nowhere`)).status, 404);
  });

  test("told to stop, it says so, answers on and asks for connections to end, and leaves with 0", async (t) => {
    const { shop, ended, port } = await startShop(t);
    const url = `http://127.0.0.1:${port}`;
    assert.equal((await fetch(url)).status, 200);
    shop.kill("SIGTERM");
    let health = await fetch(`${url}/healthz`);
    while (health.status === 200) health = await fetch(`${url}/healthz`);
    assert.equal(health.status, 503);
    const answer = await fetch(url);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("connection"), "close");
    assert.deepEqual(await ended, [0, null]);
  });
});

describe("the calibration", () => {
  test("makes calm 45 % of a replica's limit, and the step more than one replica has", () => {
    const rates = ratesFor(5, 0.5);
    assert.equal(rates.calmPerSecond, 45);
    assert.equal(rates.stepPerSecond, 135);
    assert.ok((rates.stepPerSecond * 5) / 1_000 > 0.5);
  });

  test("finds the limit in the shop's compose file and what a request costs by asking", async () => {
    const limitCores = readLimitCores(join(SHOP, "compose.yaml"));
    const calibration = await calibrate(SHOP_SERVER, limitCores);
    assert.ok(calibration.cpuMsPerRequest > 0.5);
    assert.ok(calibration.calmPerSecond > 0);
  });
});
