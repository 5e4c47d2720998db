import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { allBalancers } from "./traffic-balancers.ts";
import { type Replica, Stage } from "./traffic-stage.ts";

const CYCLES = 3;
const COME_AND_GO = 3;
const GRACE_MS = 20_000;

/** Asks on kept connections until it is told to end, and then says what it saw. */
function startLoad(url: string) {
  const child = spawn("wrk", ["-t1", "-c16", "-d5m", "--timeout", "10s", url], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const said = text(child.stdout);
  return {
    async end(): Promise<string> {
      child.kill("SIGINT");
      return await said;
    },
    [Symbol.dispose]: () => void child.kill("SIGKILL"),
  };
}

for (const program of allBalancers()) {
  const { name, skip } = program;

  describe(`${name} under the load of another program`, { skip }, () => {
    test("replicas come and go, and no request fails and no websocket is cut", async (t) => {
      await using stage = await Stage.open(program);
      await stage.serve(1);
      using load = startLoad(stage.url);
      const sockets = await Promise.all(Array.from({ length: 5 }, () => stage.websocket()));
      for (let cycle = 0; cycle < CYCLES; cycle += 1) {
        const fresh: Replica[] = [];
        for (let index = 0; index < COME_AND_GO; index += 1) {
          fresh.push(await stage.add(`web-${2 + index + cycle * COME_AND_GO}`));
        }
        stage.tell();
        await stage.until(() => fresh.every(({ requests }) => requests > 10));
        await sleep(300);
        await Promise.all(
          fresh.map(async (replica) => {
            await stage.traffic.drain(replica.id, GRACE_MS);
            // As a program that ends at once, whatever it is doing.
            await stage.remove(replica);
          }),
        );
      }
      const said = await load.end();
      const asked = Number(/(\d+) requests in/.exec(said)?.[1]);
      t.diagnostic(`${asked} requests`);
      assert.ok(asked > 100, said);
      assert.doesNotMatch(said, /Socket errors|Non-2xx/);
      for (const socket of sockets) {
        assert.equal(await socket.echoes(), true);
        socket.close();
      }
      assert.equal(stage.traffic.status().reloads, 0);
      await stage.until(() => {
        const reading = stage.reading();
        return reading !== undefined && reading.requestsTotal >= asked && reading.open === 0;
      });
      assert.equal(stage.reading()?.errorsTotal, 0);
    });
  });
}
