import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../docker-project.ts";
import { type OpenBench, patience, STAYS } from "./bench.ts";

const BOUNDS = { lines: 20, bytes: 4_096 };

/** What is not as planned: a daemon that is another one by now, a signal that aborts, a replica that failed. */
export function mishaps(open: OpenBench): void {
  test("an engine that is opened again knows every replica, and what it may do with it", async (t) => {
    const on = await open(t);
    const running = await on.running(STAYS, 1);
    const created = await on.create(STAYS, 2);
    const ended = await on.create("exit 5", 3);
    await on.start(ended, "exit 5");
    await on.until(ended, "exited");
    await on.wrote(running.id, "ready");
    await on.reopen();
    const seen = new Map((await on.replicas()).map((replica) => [replica.id, replica]));
    assert.equal(seen.size, 3);
    assert.equal(seen.get(created)?.state, "created");
    assert.deepEqual([seen.get(ended)?.state, seen.get(ended)?.exitCode], ["exited", 5]);
    const { state, slot, pid, startedAtMs, templateHash, endpoints } = seen.get(running.id) ?? running;
    assert.deepEqual(
      { state, slot, pid, startedAtMs, templateHash, endpoints },
      {
        state: "running",
        slot: 1,
        pid: running.pid,
        startedAtMs: running.startedAtMs,
        templateHash: running.templateHash,
        endpoints: running.endpoints,
      },
    );
    await on.stop(running.id);
    await on.until(running.id, "exited");
    await Promise.all([...seen.keys()].map((id) => on.remove(id)));
    assert.deepEqual(await on.replicas(), []);
  });

  test("an action whose signal is aborted already does nothing, and says why", async (t) => {
    const on = await open(t);
    const reason = new Error("the daemon ends");
    await assert.rejects(on.create(STAYS, 1, {}, AbortSignal.abort(reason)), reason);
    assert.deepEqual(await on.replicas(), []);
  });

  test("a stop that is aborted ends at once for who waits, and the replica can be removed", async (t) => {
    const on = await open(t);
    const stubborn = "trap '' TERM; echo ready; while :; do sleep 0.1; done";
    const patient = { stopGraceMs: 20_000 };
    const id = await on.create(stubborn, 1, patient);
    await on.start(id, stubborn, patient);
    await on.wrote(id, "ready");
    const abort = new AbortController();
    const stopping = on.stop(id, abort.signal, patient);
    await on.until(id, "stopping");
    abort.abort(new Error("the daemon ends"));
    await assert.rejects(stopping, /the daemon ends/u);
    await on.remove(id);
    await eventually("it is gone", async () => (await on.replicas()).length === 0);
  });

  test("a creation that is aborted on its way leaves at most what the next one takes up", async (t) => {
    const on = await open(t);
    const abort = new AbortController();
    const creating = on.create(STAYS, 1, {}, abort.signal);
    setTimeout(() => abort.abort(new Error("the daemon ends")), 3);
    await creating.catch(() => undefined);
    // The engine may be at it still, and then says that the name is taken and shows nobody yet who has it.
    let id = "";
    await eventually("it is created", async () => {
      id = await on.create(STAYS).catch(() => "");
      return id !== "";
    });
    assert.deepEqual(
      (await on.replicas()).map((replica) => [replica.id, replica.state]),
      [[id, "created"]],
    );
    await on.remove(id);
  });

  test("the scene of a replica that failed has its end and its last words; of one that is gone, what is missing", async (t) => {
    const on = await open(t);
    const line = "echo about to fail; echo badly >&2; exit 3";
    const id = await on.create(line);
    await on.start(id, line);
    await on.until(id, "exited");
    const scene = await on.engine.scene(id, BOUNDS, patience());
    assert.deepEqual(scene.missing, []);
    assert.equal(scene.exitCode, 3);
    assert.ok((scene.startedAtMs ?? Number.NaN) <= (scene.exitedAtMs ?? Number.NaN));
    assert.match(scene.log ?? "", /about to fail/u);
    assert.match(scene.log ?? "", /badly/u);
    assert.ok(JSON.stringify(scene.inspect).includes("about to fail"), "its definition is in the scene");
    await on.remove(id);
    const gone = await on.engine.scene(id, BOUNDS, patience());
    assert.equal(gone.exitCode, undefined);
    assert.notDeepEqual(gone.missing, []);
  });

  test("one that ends stays ended: nobody but the orchestrator starts it again", async (t) => {
    const on = await open(t);
    const id = await on.create("exit 1");
    await on.start(id, "exit 1");
    const first = await on.until(id, "exited");
    await on.start(id, "exit 1");
    await eventually("it has ended again", async () => {
      const seen = await on.see(id);
      return seen?.state === "exited" && (seen.startedAtMs ?? 0) > (first.startedAtMs ?? 0);
    });
    const { restarts = 0, exitCode } = (await on.see(id)) ?? first;
    assert.deepEqual({ restarts, exitCode }, { restarts: 0, exitCode: 1 });
    await on.remove(id);
  });
}
