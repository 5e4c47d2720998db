import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { labEngines, skipWithoutEngine } from "../lab/engines.ts";
import { eventually, FlyballHouse } from "./flyball-daemon.ts";

const labs = await labEngines();
const skip = skipWithoutEngine(labs);

if (skip !== false) test("a daemon on a Docker engine tells what went wrong", { skip }, () => {});

const FAILS = `  web:
    image: flyball/busybox:lab
    command: ["sh", "-c", "echo cannot open the till; exit 3"]
    environment: { TILL_PASSWORD: till-4711 }
    restart: on-failure
    ports: ["38412:80"]
`;

for (const lab of [undefined, ...labs]) {
  describe(`a daemon on ${lab === undefined ? "the process engine" : `Docker ${lab.name}`}`, () => {
    test("tells what a failed replica left, and what keeps its service from scaling", async (t) => {
      const house = await FlyballHouse.open(t, lab);
      const file = house.compose(FAILS);
      const before = await house.must("doctor", "-f", file);
      await house.serve();
      await house.must("up", "-f", file);
      const id = house.serviceId();
      const [failure] = await eventually("a scene was kept", async () => {
        const failures = await house.client.failures(id);
        return failures.length > 0 && failures;
      });
      assert.match(failure?.reason ?? "", /^ended with status 3/);
      assert.equal(failure?.log?.split("\n").at(-1), "cannot open the till");
      assert.doesNotMatch(JSON.stringify(failure), /till-4711/);
      assert.match(await house.must("ps", "--failed"), /ended with status 3.* cannot open the till/);
      assert.match(await house.must("ps", "--failed", "web"), / {2}cannot open the till/);

      const told = await house.must("doctor");
      const verdict = lab === undefined ? "can scale" : 'can scale after this: publish "80" alone';
      assert.ok(before.includes(`${id}: ${verdict}`), before);
      assert.ok(told.includes(`${id}: ${verdict}`), told);
      assert.match(await house.must("gc"), /nothing to clear away/);
      await house.must("down", "-f", file);
      await house.untilHas(0);
      assert.equal(await house.stop(), 0);
      await house.assertNothingLeft();
    });
  });
}
