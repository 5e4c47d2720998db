import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  compose,
  type LabEngine,
  labEngines,
  skipWithoutCompose,
  skipWithoutEngine,
} from "../lab/engines.ts";
import { CuttableSocket } from "./cuttable-socket.ts";
import { eventually, FlyballHouse, SERVICE } from "./flyball-daemon.ts";

const engines = await labEngines();
const skip = skipWithoutEngine(engines);
if (skip !== false) test("the whole of Flyball on a Docker Engine", { skip }, () => {});

/** `docker compose` in the house's directory; gives what it printed. */
async function dockerCompose(house: FlyballHouse, lab: LabEngine, ...words: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await compose(lab, ["-p", house.project, ...words], {
    cwd: house.directory,
  });
  assert.equal(exitCode, 0, `docker compose ${words.join(" ")}: ${stderr}`);
  return stdout;
}

async function composePs(house: FlyballHouse, lab: LabEngine): Promise<string[]> {
  const text = await dockerCompose(house, lab, "ps", "--format", "{{.Name}}");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .toSorted();
}

/** Each container's id and when it was started. */
async function starts(house: FlyballHouse): Promise<Record<string, string>> {
  const found = [...(await house.seen("web")), ...(await house.seen("db"))];
  const inspected = await Promise.all(found.map(({ id }) => house.docker.getContainer(id).inspect()));
  return Object.fromEntries(inspected.map(({ Id, State }) => [Id, State.StartedAt]));
}

async function adoptsWhatComposeRuns(t: TestContext, lab: LabEngine): Promise<void> {
  const house = await FlyballHouse.open(t, lab);
  const file = house.compose(
    `  web:${SERVICE}    deploy: { replicas: 2 }\n    labels: { autoscale.max_cpu: "70" }\n  db:${SERVICE}`,
  );
  await dockerCompose(house, lab, "up", "-d");
  const before = await starts(house);
  assert.equal(Object.keys(before).length, 3);

  await house.serve();
  const planned = await house.must("plan", "-f", file);
  assert.match(planned, /2 services, nothing to do$/m);
  await house.must("up", "-f", file);
  await eventually("all three are seen", async () => {
    const [web, db] = await Promise.all([house.counts("web"), house.counts("db")]);
    return web.desired === 2 && web.ready === 2 && db.ready === 1;
  });
  // Several passes, in which nothing may happen.
  await sleep(2_500);
  assert.deepEqual(await starts(house), before);

  await house.must("scale", "web=3");
  await house.untilHas(3);
  const after = await starts(house);
  assert.deepEqual({ ...after, ...before }, after, "what compose started was not touched");
  assert.deepEqual(
    await composePs(house, lab),
    ["db-1", "web-1", "web-2", "web-3"].map((name) => `${house.project}-${name}`),
  );
  const oldest = Object.keys(before);
  await house.must("scale", "web=1");
  await house.untilHas(1);
  assert.ok(
    (await house.seen()).every(({ id }) => oldest.includes(id)),
    "the first ones stay longest",
  );

  await house.must("down", "-f", file);
  await eventually("containers and networks are gone", async () => (await house.leftInDocker()).length === 0);
  await eventually("the project is forgotten", async () => (await house.client.services()).length === 0);
  assert.equal(await house.stop(), 0);
  await house.assertNothingLeft();
}

/** The values of V in the environments of the service's containers. */
async function definitions(house: FlyballHouse): Promise<string[]> {
  const found = await house.seen();
  const inspected = await Promise.all(found.map(({ id }) => house.docker.getContainer(id).inspect()));
  return inspected.flatMap(({ Config }) => Config.Env.filter((entry) => entry.startsWith("V=")));
}

async function letsComposeUpdate(t: TestContext, lab: LabEngine): Promise<void> {
  const house = await FlyballHouse.open(t, lab);
  const defined = (version: number) =>
    house.compose(
      `  web:${SERVICE}    environment: { V: "${version}" }\n    labels: { autoscale.max_cpu: "70", autoscale.on_external_change: restore }`,
    );
  const file = defined(1);
  await dockerCompose(house, lab, "up", "-d");
  await house.serve();
  await house.must("up", "-f", file);
  await house.must("scale", "web=3");
  await house.untilHas(3);
  assert.deepEqual(await definitions(house), ["V=1", "V=1", "V=1"]);

  defined(2);
  await dockerCompose(house, lab, "up", "-d");
  await eventually("all three have the new definition", async () => {
    const versions = await definitions(house).catch(() => []);
    return versions.length === 3 && versions.every((version) => version === "V=2");
  });
  await house.untilHas(3);
  await house.must("down", "-f", file);
  assert.deepEqual(await house.leftInDocker(), []);
  assert.equal(await house.stop(), 0);
}

async function survivesAnAbsentEngine(t: TestContext, lab: LabEngine): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "flyball-socket-"));
  const socket = new CuttableSocket(join(directory, "engine.sock"), lab.socketPath);
  t.after(async () => {
    await socket[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });
  await socket.join();
  const house = await FlyballHouse.open(t, lab, { DOCKER_HOST: `unix://${socket.path}` });
  const file = house.compose(`  web:${SERVICE}`);
  await house.serve();
  await house.must("up", "-f", file);
  await house.untilHas(1);

  await house.client.scale(house.serviceId(), { replicas: 6 });
  await eventually("the plan is under way", async () => (await house.seen()).length > 1);
  await socket.cut();
  const readiness = await eventually("the daemon says that it is not ready", async () => {
    const answer = await house.readiness();
    return answer?.ready === false && answer;
  });
  assert.match(readiness.engine, /Docker engine/i);
  assert.ok(readiness.engine.includes(socket.path), readiness.engine);
  const response = await fetch(`${house.client.address}/readyz`);
  assert.equal(response.status, 503);
  assert.equal((await house.counts()).desired, 6, "what is known is still told");
  const refused = await house.flyball("plan", "-f", file);
  assert.equal(refused.status, 5, refused.stderr);
  assert.match(refused.stderr, /^ENGINE_UNAVAILABLE: /m);

  await socket.join();
  await house.untilHas(6);
  await eventually("the daemon is ready", async () => (await house.readiness())?.ready);
  // What was under way when the engine went is done once, not twice.
  await sleep(1_500);
  assert.ok(await house.has(6));
  await house.must("down", "-f", file);
  await eventually("nothing is left", async () => (await house.leftInDocker()).length === 0);
  assert.equal(await house.stop(), 0);
}

for (const lab of skip === false ? engines : []) {
  describe(`the whole of Flyball on Docker ${lab.name}`, () => {
    test(
      "adopts what docker compose runs without a restart, and compose sees what it adds",
      {
        skip: skipWithoutCompose(),
      },
      (t) => adoptsWhatComposeRuns(t, lab),
    );

    test(
      "lets docker compose update what it made, and what was added to it follows",
      { skip: skipWithoutCompose() },
      (t) => letsComposeUpdate(t, lab),
    );

    test("says what is wrong while the engine is away in the middle of a plan, and then finishes it", (t) =>
      survivesAnAbsentEngine(t, lab));
  });
}

describe("where no Docker engine answers", () => {
  test("a daemon that needs one does not start, and says where it looked", async (t) => {
    const house = await FlyballHouse.open(t, undefined, {
      FLYBALL_ENGINE: "docker",
      DOCKER_HOST: "unix:///nowhere/docker.sock",
    });
    const { status, stderr } = await house.flyball("serve");
    assert.equal(status, 5, stderr);
    assert.match(stderr, /^ENGINE_UNAVAILABLE: .*\/nowhere\/docker\.sock/m);
    await house.assertNothingLeft();
  });
});
