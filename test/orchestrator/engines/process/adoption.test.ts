import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { ReplicaId, Service } from "../../../../core/types.ts";
import {
  isAlive,
  readBootId,
  readStartTicks,
  readStat,
} from "../../../../orchestrator/engines/process/proc.ts";
import { parseRecord, type ReplicaRecord } from "../../../../orchestrator/engines/process/record.ts";
import { eventually, Lab, serviceOf, shell } from "./harness.ts";
import { spawnScript } from "./script.ts";

const STAYS = 'echo "here $$"; sleep 600 & wait';

/** A daemon of its own that starts one replica of the service, and is killed without a word to the engine. */
async function startAndDie(lab: Lab, service: Service): Promise<ReplicaId> {
  await using daemon = spawnScript("daemon.ts");
  daemon.tell({ dataDirectory: lab.directory, instanceId: lab.instanceId, service });
  return await daemon.says();
}

async function changeRecord(
  lab: Lab,
  id: ReplicaId,
  change: (record: ReplicaRecord) => ReplicaRecord,
): Promise<void> {
  const record = parseRecord(await readFile(lab.recordPath(id), "utf8"), id);
  assert.ok(typeof record === "object");
  await writeFile(lab.recordPath(id), JSON.stringify(change(record)));
}

describe("after the daemon was killed", () => {
  test("a replica lives on, writes on, and is found again with all that is known of it", async (t) => {
    const lab = await Lab.open(t);
    const id = await startAndDie(lab, shell('echo before; sleep 0.4; echo after; echo "$$"; exec sleep 600'));
    const driver = await lab.engine();
    const seen = await driver.seen(id);
    assert.equal(seen.state, "running");
    assert.deepEqual([seen.service, seen.slot, seen.templateHash], ["shop_web", 1, "hash of web"]);
    assert.ok(seen.startedAtMs !== undefined && seen.readyAtMs !== undefined);
    await driver.wrote(id, /before\nafter/u);
    await driver.stop(id);
    assert.deepEqual(lab.running(), []);
    assert.equal((await driver.seen(id)).state, "exited");
  });

  test("the end of an adopted replica is seen, without a status that nobody was told", async (t) => {
    const lab = await Lab.open(t);
    const id = await startAndDie(lab, shell(STAYS));
    const driver = await lab.engine();
    const { pid } = await driver.seen(id);
    let hints = 0;
    using _ = driver.engine.watch(() => {
      hints += 1;
    });
    assert.ok(pid !== undefined);
    process.kill(pid, "SIGKILL");
    await eventually("the watchers are told", () => (hints > 0 ? true : undefined));
    const seen = await driver.until(id, "exited");
    assert.equal(seen.exitCode, undefined);
    assert.ok(seen.exitedAtMs !== undefined);
    await eventually("its child is gone", () => (lab.running().length === 0 ? true : undefined));
    await driver.start(id);
    assert.equal((await driver.seen(id)).state, "running");
  });

  test("a replica that ended while nobody watched is observed as exited, its children ended", async (t) => {
    const lab = await Lab.open(t);
    const id = await startAndDie(lab, shell("sleep 600 & sleep 0.2; exit 4"));
    await eventually("only its child is left", () => (lab.running().length === 1 ? true : undefined));
    const driver = await lab.engine();
    const seen = await driver.seen(id);
    assert.equal(seen.state, "exited");
    assert.equal(seen.exitCode, undefined);
    await eventually("its child is gone", () => (lab.running().length === 0 ? true : undefined));
  });

  test("a stop that was cut off is carried on to its kill", async (t) => {
    const lab = await Lab.open(t);
    const id = await startAndDie(
      lab,
      shell('trap "" TERM; while :; do sleep 0.05; done', { stopGraceMs: 200 }),
    );
    await changeRecord(lab, id, (record) => {
      assert.ok(record.run !== undefined);
      return { ...record, run: { ...record.run, stoppingSinceMs: record.run.startedAtMs } };
    });
    const driver = await lab.engine();
    await driver.until(id, "exited");
    assert.deepEqual(lab.running(), []);
  });

  test("a process that its record does not name is found by its environment", async (t) => {
    const lab = await Lab.open(t);
    const id = await startAndDie(lab, shell(STAYS));
    await changeRecord(lab, id, ({ run: _, ...record }) => record);
    const driver = await lab.engine();
    const seen = await driver.seen(id);
    assert.equal(seen.state, "running");
    assert.equal(seen.templateHash, "hash of web");
    assert.ok(seen.pid !== undefined && lab.running().includes(seen.pid));
  });

  test("a process whose record is gone is shown as a replica of no known template, and can be removed", async (t) => {
    const lab = await Lab.open(t);
    const id = await startAndDie(lab, shell(STAYS));
    await rm(lab.recordPath(id));
    const driver = await lab.engine();
    const seen = await driver.seen(id);
    assert.deepEqual([seen.state, seen.service, seen.slot], ["running", "shop_web", 1]);
    assert.notEqual(seen.templateHash, "hash of web");
    await driver.stop(id);
    assert.deepEqual(lab.running(), []);
    await assert.rejects(driver.start(id), { code: "ENGINE_REFUSED" });
    await driver.remove(id);
    assert.deepEqual(await driver.replicas(), []);
  });

  test("a record that cannot be read is set aside, and its process found all the same", async (t) => {
    const lab = await Lab.open(t);
    const id = await startAndDie(lab, shell(STAYS));
    await writeFile(lab.recordPath(id), '{"version":1,"id":');
    const driver = await lab.engine();
    assert.equal((await driver.seen(id)).state, "running");
    assert.ok((await readdir(join(lab.directory, "process"))).includes(`${id}.json.unreadable`));
  });

  test("a stranger who was given the same pid is never signalled", async (t) => {
    const lab = await Lab.open(t);
    const stranger = spawn("sleep", ["600"], { detached: true, stdio: "ignore" });
    t.after(() => stranger.kill("SIGKILL"));
    const { pid } = stranger;
    assert.ok(pid !== undefined);
    const startTicks = readStartTicks(pid);
    assert.ok(startTicks !== undefined);
    const first = await lab.engine();
    const service = serviceOf({ command: ["true"] });
    const ids = [
      await first.create(service, 1),
      await first.create(service, 2),
      await first.create(service, 3),
    ];
    await first.close();
    const run = { pid, startTicks, bootId: readBootId(), startedAtMs: 1, notEnforced: [] };
    const runs = [
      { ...run, startTicks: startTicks - 1 },
      { ...run, bootId: "an earlier one" },
      { ...run, startTicks: startTicks - 1, stoppingSinceMs: 2 },
    ];
    for (const [index, id] of ids.entries()) {
      const of = runs[index];
      assert.ok(of !== undefined);
      await changeRecord(lab, id, (record) => ({ ...record, run: of }));
    }
    const driver = await lab.engine();
    for (const id of ids) {
      assert.equal((await driver.seen(id)).state, "exited");
      await driver.stop(id);
      await driver.remove(id);
    }
    await sleep(50);
    assert.ok(isAlive({ pid, startTicks, bootId: readBootId() }), "the stranger was killed");
  });

  test("a daemon that dies before the pid is written leaves nothing that runs", async (t) => {
    const lab = await Lab.open(t);
    // The same gate as in a start, with nobody left to open it.
    let pid = 0;
    {
      await using gate = spawnScript("gate.ts", lab.directory);
      pid = Number(await gate.says());
      assert.ok(readStat(pid) !== undefined);
    }
    await eventually("the gate is gone", () => (readStat(pid) === undefined ? true : undefined));
    assert.deepEqual(await readdir(lab.directory), ["log", "status"], "the command has not run");
  });

  test("one that was written down and never let run was never started; one that ran has ended", async (t) => {
    const lab = await Lab.open(t);
    const before = await lab.engine();
    const id = await before.create(shell("exit 0"));
    const ran = await before.run(shell("exit 0"), 2);
    await before.until(ran, "exited");
    await before.close();
    // As a start whose daemon is killed when it has written down what it is about to let run.
    {
      await using gate = spawnScript(
        "gate.ts",
        lab.directory,
        lab.recordPath(id).replace(".json", ".status"),
      );
      const pid = Number(await gate.says());
      const startTicks = readStartTicks(pid);
      assert.ok(startTicks !== undefined);
      const run = { pid, startTicks, bootId: readBootId(), startedAtMs: 1, readyAtMs: 1, notEnforced: [] };
      await changeRecord(lab, id, (record) => ({ ...record, run }));
    }
    // As one whose end nobody was there to see.
    await changeRecord(lab, ran, (record) => {
      assert.ok(record.run !== undefined);
      const { exit: _exit, ...run } = record.run;
      return { ...record, run };
    });
    const after = await lab.engine();
    assert.equal((await after.seen(id)).state, "created");
    assert.equal((await after.seen(ran)).state, "exited");
    await after.start(id);
    assert.equal((await after.until(id, "exited")).exitCode, 0, "and can be started");
  });

  test("closing an engine leaves its replicas running", async (t) => {
    const lab = await Lab.open(t);
    const first = await lab.engine();
    const id = await first.run(shell(STAYS));
    const { pid } = await first.seen(id);
    await first.close();
    const second = await lab.engine();
    assert.equal((await second.seen(id)).pid, pid);
    await second.remove(id);
    assert.deepEqual(lab.running(), []);
  });
});
