import assert from "node:assert/strict";
import { test } from "node:test";
import { isFlyballError } from "../../../core/errors.ts";
import { aProject } from "../../orchestrator/engines/docker/builders.ts";
import { eventually } from "../docker-project.ts";
import { type OpenBench, patience, STAYS } from "./bench.ts";

/** From the creation of a replica to its removal. */
export function lifecycle(open: OpenBench): void {
  test("a replica is created, started, stopped and removed, and each may be asked for again", async (t) => {
    const on = await open(t);
    const id = await on.create(STAYS);
    const created = await on.until(id, "created");
    assert.equal(created.service, on.service);
    assert.equal(created.slot, 1);
    assert.equal(created.origin, "flyball");
    assert.equal(created.templateHash, "hash-1");
    assert.equal(created.pid, undefined);

    await on.start(id);
    await on.start(id);
    const running = await on.until(id, "running");
    assert.ok(running.pid !== undefined && running.startedAtMs !== undefined);
    process.kill(running.pid, 0);
    await on.wrote(id, "ready");

    await on.stop(id);
    await on.stop(id);
    const stopped = await on.until(id, "exited");
    assert.equal(stopped.exitCode, 0);
    assert.equal(stopped.pid, undefined);

    await on.start(id);
    const again = await on.until(id, "running");
    assert.ok((again.startedAtMs ?? 0) >= running.startedAtMs);
    await on.remove(id);
    await on.remove(id);
    assert.deepEqual(await on.replicas(), []);
    await on.stop(id);
  });

  test("creating what was created and never started gives the same replica", async (t) => {
    const on = await open(t);
    const [first, second] = [await on.create(STAYS), await on.create(STAYS)];
    assert.equal(second, first);
    assert.equal((await on.replicas()).length, 1);
    await on.remove(first);
  });

  test("replicas keep to their slots", async (t) => {
    const on = await open(t);
    const ids = await Promise.all([1, 2, 3].map((slot) => on.create(STAYS, slot)));
    await Promise.all(ids.map((id) => on.start(id)));
    const seen = (await on.replicas()).toSorted((a, b) => a.slot - b.slot);
    assert.deepEqual(
      seen.map(({ id, slot, state }) => ({ id, slot, state })),
      ids.map((id, index) => ({ id, slot: index + 1, state: "running" })),
    );
    assert.equal(new Set(seen.map(({ name }) => name)).size, 3);
    await Promise.all(ids.map((id) => on.remove(id)));
    assert.deepEqual(await on.replicas(), []);
  });

  test("a replica that ends by itself is seen with its status, and hints come", async (t) => {
    const on = await open(t);
    await on.replicas();
    let hints = 0;
    using _ = on.engine.watch(() => {
      hints += 1;
    });
    const id = await on.create("sleep 0.3; exit 7");
    await on.start(id, "sleep 0.3; exit 7");
    const ended = await on.until(id, "exited");
    assert.equal(ended.exitCode, 7);
    assert.ok(ended.exitedAtMs !== undefined);
    await eventually("a hint came", () => hints > 0);
    await on.remove(id);
  });

  test("one that ignores its stop signal is killed after its grace", async (t) => {
    const on = await open(t);
    const stubborn = "trap '' TERM; echo ready; while :; do sleep 0.1; done";
    const id = await on.create(stubborn, 1, { stopGraceMs: 1_000 });
    await on.start(id, stubborn);
    await on.wrote(id, "ready");
    const stopping = on.stop(id);
    await on.until(id, "stopping");
    await stopping;
    assert.equal((await on.until(id, "exited")).exitCode, 137);
    await on.remove(id);
  });

  test("the environment and the command reach it, and its lines can be read", async (t) => {
    const on = await open(t);
    const line = 'echo "colour is $COLOUR"; echo "trouble" >&2';
    const id = await on.create(line, 1, { environment: { COLOUR: "dark $blue" } });
    await on.start(id, line);
    await on.until(id, "exited");
    const text = await on.engine.logs(id, on.service, 10);
    assert.match(text, /^colour is dark \$blue$/m);
    assert.match(text, /^trouble$/m);
    await on.remove(id);
  });

  test("a command that is not there is refused, and leaves nothing running", async (t) => {
    const on = await open(t);
    const missing = { command: ["/no/such/program"] };
    const attempt = async () => {
      const id = await on.create("", 1, missing);
      await on.start(id);
    };
    await assert.rejects(attempt(), (error) => isFlyballError(error) && error.code === "ENGINE_REFUSED");
    for (const { id, state } of await on.replicas()) {
      assert.notEqual(state, "running");
      await on.remove(id);
    }
  });

  test("of a project that nobody asks about nothing is said", async (t) => {
    const on = await open(t);
    const id = await on.create(STAYS);
    const state = await on.engine.observe([aProject("fbtest-nobody", [])], patience());
    assert.deepEqual(state.replicas, []);
    assert.equal(state.complete, true);
    await on.remove(id);
  });
}
