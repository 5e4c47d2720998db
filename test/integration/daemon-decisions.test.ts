import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { describe, test } from "node:test";
import { busyService, eventually, FlyballHouse } from "./flyball-daemon.ts";

const WEB = busyService("2s");

describe("the recorded decisions of a daemon", () => {
  test("come out the same, byte for byte, through scaling out and in and a kill in between", async (t) => {
    const house = await FlyballHouse.open(t);
    const file = house.compose(WEB);
    await house.serve();
    await house.must("up", "-f", file);
    await house.untilHas(1);
    for (const killed of [true, false]) {
      const busy = house.write("busy", "");
      await eventually("there are more", async () => (await house.seen()).length > 1);
      if (killed) {
        await house.kill();
        await house.serve();
      }
      await house.untilHas(3);
      rmSync(busy);
      await house.untilHas(1);
    }

    const told = await house.must("decisions", "web", "--verify");
    const [, identical, recorded] = /: (\d+) of (\d+) identical$/m.exec(told) ?? [];
    t.diagnostic(told.trim());
    assert.equal(identical, recorded);
    assert.ok(Number(recorded) >= 7, told);
    const changes = await house.client.decisions(house.serviceId(), { limit: 100, changesOnly: true });
    assert.ok(changes.some(({ from, to }) => to > from) && changes.some(({ from, to }) => to < from));

    const explained = await house.must("explain", "web");
    assert.match(
      explained,
      /^(?:stays at|\d →) 1: cpu at .*\nrule: cpu .*\nlimit: .*\nlearned: .*\notherwise: /,
    );
    await house.must("down", "-f", file);
    await house.untilHas(0);
    assert.equal(await house.stop(), 0);
    await house.assertNothingLeft();
  });

  test("are only shown until a person approves, when the configuration says so", async (t) => {
    const house = await FlyballHouse.open(t, undefined, { FLYBALL_CONFIG: "flyball.yaml" });
    house.write("flyball.yaml", "scaler: { firstRun: shadow }\n");
    const file = house.compose(WEB);
    house.write("busy", "");
    await house.serve();
    await house.must("up", "-f", file);
    await house.untilHas(1);
    const sentence = async () => (await house.client.service(house.serviceId())).lastDecision?.sentence ?? "";
    await eventually("it waits", async () => (await sentence()).includes("it waits for flyball approve"));
    assert.equal(await house.has(1), true);
    assert.match(await house.must("explain", "web"), /^shadow: .*flyball approve/m);
    assert.match(await house.must("approve", "web"), /is scaled by its rules/);
    await house.untilHas(3);
    assert.match(await house.must("pause", "web"), /keeps its count/);
    // A machine without a core to spare may have let it shrink until here.
    const { desired } = await house.counts();
    assert.ok(desired > 1);
    await house.untilHas(desired);
    rmSync(`${house.directory}/busy`);
    await eventually("it is paused", async () => (await sentence()).endsWith("but scaling is paused"));
    assert.equal(await house.has(desired), true);
    assert.match(await house.must("resume", "web"), /is scaled by its rules/);
    await house.untilHas(1);
    await house.must("down", "-f", file);
    await house.untilHas(0);
    assert.equal(await house.stop(), 0);
    await house.assertNothingLeft();
  });
});
