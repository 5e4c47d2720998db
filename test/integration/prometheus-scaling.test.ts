import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Prometheus, prometheusPrograms, skipWithoutPrometheus } from "../lab/prometheus.ts";
import { eventually, FlyballHouse } from "./flyball-daemon.ts";
import { Queue, scraping } from "./scraped-queue.ts";

const programs = prometheusPrograms();
const skip = skipWithoutPrometheus(programs);

const SERVICE = `  web:
    image: flyball/busybox:lab
    command: ["sh", "-c", "trap 'exit 0' TERM; sleep 1000 & wait"]
    stop_grace_period: 2s
    labels:
      autoscale.query: sum(queue_waiting) / 2
      autoscale.query_max: "10"
      autoscale.query_min: "3"
      autoscale.step: "1"
      autoscale.max: "3"
      autoscale.window: 4s
      autoscale.cooldown: 1s
      autoscale.stabilization: 2s
`;
/** Several evaluations, and longer than an answer counts. */
const SILENCE_MS = 12_000;

// Each waits more than it works, and has ports and a daemon of its own.
describe("a service that scales by the answer of a real Prometheus", { skip, concurrency: true }, () => {
  for (const program of programs) {
    test(`${program.name} goes out and in with it, and holds when it is silent`, async (t) => {
      await using queue = new Queue();
      queue.waiting = 1;
      await using opened = new AsyncDisposableStack();
      const server = await Prometheus.start(program, scraping(await queue.start()));
      opened.defer(() => server[Symbol.asyncDispose]());
      const house = await FlyballHouse.open(t, undefined, { FLYBALL_CONFIG: "flyball.yaml" });
      house.write("flyball.yaml", `prometheus:\n  url: ${server.url}\n`);
      const file = house.compose(SERVICE);
      await house.serve();
      await house.must("up", "-f", file);
      await house.untilHas(1);
      await eventually("it is calm", async () =>
        /query at 0\.5 is below 3/.test(await house.must("explain", "web")),
      );

      queue.waiting = 30;
      await house.untilHas(3);
      await eventually("all that may be are there", async () =>
        /query at 15 is above 10/.test(await house.must("explain", "web")),
      );
      queue.waiting = 1;
      await house.untilHas(1);

      queue.waiting = 30;
      await house.untilHas(3);
      // Nothing is wanted any more, and the only one who knows it is gone.
      queue.waiting = 12;
      await eventually("it holds by what it is told", async () =>
        /query at 6 is between 3 and 10/.test(await house.must("explain", "web")),
      );
      queue.waiting = 0;
      await server[Symbol.asyncDispose]();
      const explained = await eventually("it says that it knows nothing", async () => {
        const text = await house.must("explain", "web");
        // One that is ending says so for a moment, before nobody is there.
        const isGone = /^trouble: sum\(queue_waiting\) \/ 2: Prometheus cannot be asked: .*ECONNREFUSED/m;
        return /^stays at \d: no fresh answer to the query/.test(text) && isGone.test(text) && text;
      });
      assert.match(explained, /^rule: no fresh answer to the query, so it asks for nothing$/m);
      const { desired } = await house.counts();
      await sleep(SILENCE_MS);
      assert.equal((await house.counts()).desired, desired);
      assert.ok(await house.has(desired));

      const changes = await house.client.decisions(house.serviceId(), { limit: 20, changesOnly: true });
      const steps = changes.toReversed().map(({ from, to }) => `${from} ${to}`);
      assert.deepEqual(steps.slice(0, 6), ["1 2", "2 3", "3 2", "2 1", "1 2", "2 3"]);
      await house.must("down", "-f", file);
    });
  }
});
