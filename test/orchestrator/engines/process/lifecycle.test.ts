import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { readStat } from "../../../../orchestrator/engines/process/proc.ts";
import { network } from "../../builders.ts";
import { eventually, Lab, NEVER, noCgroups, serviceOf, shell } from "./harness.ts";

/** Stays until it is told to go, and says when it is there. */
const STAYS = "echo here; exec sleep 600";

describe("a replica's life", () => {
  test("a created replica is started, stopped and removed, and each may be asked for twice", async (t) => {
    const lab = await Lab.open(t);
    const driver = await lab.engine();
    const id = await driver.create(shell(STAYS));
    assert.equal(await driver.create(shell(STAYS)), id, "the seat is taken by the one made before");
    assert.equal((await driver.seen(id)).state, "created");
    assert.deepEqual(lab.running(), []);

    await Promise.all([driver.start(id), driver.start(id)]);
    await driver.start(id);
    await driver.wrote(id, /here/u);
    const running = await driver.seen(id);
    assert.equal(running.state, "running");
    assert.deepEqual(lab.running(), [running.pid]);

    await driver.stop(id);
    await driver.stop(id);
    const exited = await driver.seen(id);
    assert.equal(exited.state, "exited");
    assert.equal(exited.exitCode, 143);
    assert.equal(exited.pid, undefined);

    await driver.start(id);
    assert.equal((await driver.seen(id)).state, "running");
    await driver.remove(id);
    await driver.remove(id);
    await driver.stop(id);
    assert.deepEqual(await driver.replicas(), []);
  });

  test("the command gets its own environment, a port, its slot, and the project's directory", async (t) => {
    process.env["FLYBALL_TEST_SECRET"] = "the daemon's own";
    t.after(() => delete process.env["FLYBALL_TEST_SECRET"]);
    const lab = await Lab.open(t);
    const driver = await lab.engine();
    const id = await driver.run(
      serviceOf({
        command: ["env"],
        environment: { COLOR: "blue sky", "server.port": "80" },
      }),
      3,
    );
    await driver.until(id, "exited");
    const { endpoints } = await driver.seen(id);
    const lines = (await driver.log(id)).split("\n");
    for (const line of [
      `PORT=${endpoints[0]?.port}`,
      "COLOR=blue sky",
      "server.port=80",
      "FLYBALL_SERVICE=shop_web",
      "FLYBALL_SLOT=3",
      `FLYBALL_REPLICA=${id}`,
    ]) {
      assert.ok(lines.includes(line), `${line} is not in ${lines.join(" | ")}`);
    }
    assert.ok(
      !lines.some((line) => line.startsWith("FLYBALL_TEST_SECRET")),
      "the daemon's environment leaks",
    );
  });

  test("the command has its three standard files open and none of the daemon's", async (t) => {
    const lab = await Lab.open(t);
    const driver = await lab.engine();
    const list = ["ls", "-1", "/proc/self/fd"] as const;
    const id = await driver.run(serviceOf({ command: list }));
    await driver.until(id, "exited");
    // What this process itself was given by whoever started it shows in both.
    const [command, ...rest] = list;
    assert.equal(await driver.log(id), execFileSync(command, rest, { encoding: "utf8" }));
  });

  test("a command that ends by itself is observed with its status, and the watchers are told", async (t) => {
    const lab = await Lab.open(t);
    const driver = await lab.engine();
    let hints = 0;
    using _ = driver.engine.watch(() => {
      hints += 1;
    });
    const id = await driver.run(shell("read x < /dev/null; exit 7"));
    await driver.until(id, "exited");
    assert.equal((await driver.seen(id)).exitCode, 7);
    const before = hints;
    await driver.start(id);
    await driver.until(id, "exited");
    assert.ok(hints > before);
  });

  test("a command that ignores the stop signal is killed after its grace", async (t) => {
    const lab = await Lab.open(t);
    const driver = await lab.engine();
    const id = await driver.run(
      shell('trap "echo no" TERM; echo here; while :; do sleep 0.05; done', { stopGraceMs: 300 }),
    );
    await driver.wrote(id, /here/u);
    const stopping = driver.stop(id);
    assert.equal((await driver.until(id, "stopping")).state, "stopping");
    await stopping;
    assert.match(await driver.log(id), /no/u);
    assert.equal((await driver.seen(id)).exitCode, 137);
  });

  test("the stop signal of the service is the one that is sent", async (t) => {
    const lab = await Lab.open(t);
    const driver = await lab.engine();
    const id = await driver.run(
      shell('trap "echo bye; exit 3" USR1; echo here; while :; do sleep 0.05; done', {
        stopSignal: "SIGUSR1",
      }),
    );
    await driver.wrote(id, /here/u);
    await driver.stop(id);
    assert.equal((await driver.seen(id)).exitCode, 3);
    assert.match(await driver.log(id), /bye/u);
  });

  test("children are ended with their parent, those in a session of their own too", async (t) => {
    const lab = await Lab.open(t);
    const driver = await lab.engine();
    const id = await driver.run(
      shell("trap '' TERM; sleep 600 & setsid sleep 600 & echo here; wait", { stopGraceMs: 100 }),
    );
    await eventually("all three run", () => (lab.running().length >= 3 ? true : undefined));
    await driver.stop(id);
    assert.deepEqual(lab.running(), []);
  });

  test("children that hide their origin are found by their cgroup", { skip: noCgroups() }, async (t) => {
    const lab = await Lab.open(t);
    const driver = await lab.engine();
    const id = await driver.run(shell("setsid env -i sh -c 'echo child $$; exec sleep 600' & wait"));
    const [, child] = await driver.wrote(id, /child (\d+)/u);
    assert.ok(readStat(Number(child)) !== undefined);
    await driver.stop(id);
    assert.equal(readStat(Number(child)), undefined);
  });

  test("when the first process dies, what it started does not stay behind", async (t) => {
    const lab = await Lab.open(t);
    const driver = await lab.engine();
    const id = await driver.run(shell("sleep 600 & env -i sleep 600 & echo child $!; exit 0"));
    const [, child] = await driver.wrote(id, /child (\d+)/u);
    await driver.until(id, "exited");
    await eventually("its children are gone", () =>
      lab.running().length === 0 && readStat(Number(child)) === undefined ? true : undefined,
    );
  });

  test("during a stop, children of a leader that died at once still have their grace", async (t) => {
    const lab = await Lab.open(t);
    const driver = await lab.engine();
    const id = await driver.run(
      shell(
        '(trap "sleep 0.3; echo drained; exit" TERM; echo here; while :; do sleep 0.05; done) & trap "exit" TERM; wait',
      ),
    );
    await driver.wrote(id, /here/u);
    await driver.stop(id);
    assert.match(await driver.log(id), /drained/u);
    assert.deepEqual(lab.running(), []);
  });

  test("giving up a stop ends the wait at once, and the stop goes on", async (t) => {
    const lab = await Lab.open(t);
    const driver = await lab.engine();
    const id = await driver.run(
      shell('trap "" TERM; echo here; while :; do sleep 0.05; done', { stopGraceMs: 400 }),
    );
    await driver.wrote(id, /here/u);
    await assert.rejects(driver.stop(id, AbortSignal.timeout(50)), { name: "TimeoutError" });
    assert.equal((await driver.seen(id)).state, "stopping");
    await driver.until(id, "exited");
    await assert.rejects(driver.stop(id, AbortSignal.abort()), { name: "AbortError" });
  });

  test("a removal during a stop does not wait for the grace", async (t) => {
    const lab = await Lab.open(t);
    const driver = await lab.engine();
    const id = await driver.run(
      shell('trap "" TERM; echo here; while :; do sleep 0.05; done', { stopGraceMs: 600_000 }),
    );
    await driver.wrote(id, /here/u);
    const stopping = driver.stop(id);
    await driver.until(id, "stopping");
    await driver.remove(id);
    await stopping;
    assert.deepEqual(await driver.replicas(), []);
  });

  test("a start during a stop waits for its end and then starts anew", async (t) => {
    const lab = await Lab.open(t);
    const driver = await lab.engine();
    const id = await driver.run(shell(STAYS));
    const before = (await driver.seen(id)).pid;
    await Promise.all([driver.stop(id), sleep(1).then(() => driver.start(id))]);
    const after = await driver.seen(id);
    assert.equal(after.state, "running");
    assert.notEqual(after.pid, before);
  });

  test("what is asked for of networks, volumes and images counts as there", async (t) => {
    const lab = await Lab.open(t);
    const driver = await lab.engine();
    const service = serviceOf({ command: ["true"], image: "shop/web:1" });
    const front = network({ key: "front", name: "shop_front" });
    const project = {
      name: "shop",
      workingDirectory: lab.directory,
      composeFiles: [],
      services: [service],
      networks: [front],
      volumes: [],
    };
    const observed = await driver.engine.observe([project], NEVER);
    assert.deepEqual(
      [observed.images, observed.networks, observed.complete],
      [["shop/web:1"], ["shop_front"], true],
    );
  });
});
