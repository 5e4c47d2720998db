import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { eventually, FlyballHouse } from "./flyball-daemon.ts";

/** Burns what CPU it gets while the file `busy` is there. */
const BURNS =
  "trap 'exit 0' TERM; while :; do if [ -e busy ]; then i=0; while [ $$i -lt 5000 ]; do i=$$((i+1)); done; else sleep 0.1; fi; done";

test("a service that is busy gets more replicas, and loses them when it is not", async (t) => {
  const house = await FlyballHouse.open(t);
  const file = house.compose(`  web:
    image: flyball/busybox:lab
    command: ["sh", "-c", "${BURNS}"]
    stop_grace_period: 2s
    labels:
      autoscale.max_cpu: "60"
      autoscale.max: "3"
      autoscale.window: 2s
      autoscale.cooldown: 1s
      autoscale.stabilization: 2s
    deploy: { resources: { limits: { cpus: "0.2" } } }
`);
  await house.serve();
  await house.must("up", "-f", file);
  await house.untilHas(1);
  const busy = house.write("busy", "");
  await house.untilHas(3);
  rmSync(busy);
  await house.untilHas(1);

  const id = house.serviceId();
  const changes = await eventually("the decisions are told", () =>
    house.client.decisions(id, { limit: 10, changesOnly: true }),
  );
  const steps = changes.toReversed().map(({ from, to }) => [from, to]);
  assert.equal(steps[0]?.[0], 1);
  assert.ok((steps[0]?.[1] ?? 0) > 1, "the first change is a scale-out");
  assert.deepEqual(steps.at(-1)?.at(-1), 1);
  const explained = await house.must("explain", "web");
  assert.match(explained, /cpu/i);
  await house.must("down", "-f", file);
  await house.untilHas(0);
  await eventually("the project is forgotten", async () => (await house.client.services()).length === 0);
  assert.equal(await house.stop(), 0);
  await house.assertNothingLeft();
});
