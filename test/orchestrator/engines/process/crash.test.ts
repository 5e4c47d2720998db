import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { findCarriers } from "../../../../orchestrator/engines/process/orphans.ts";
import { readStartTicks } from "../../../../orchestrator/engines/process/proc.ts";
import { eventually, Lab } from "./harness.ts";
import { spawnScript } from "./script.ts";

const KILLS = 6;

test("a daemon killed at any moment of its work leaves only what the next one knows", async (t) => {
  const lab = await Lab.open(t);
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const afterMs = Math.round(Math.random() * 120);
    {
      await using daemon = spawnScript("restless.ts");
      daemon.tell({ dataDirectory: lab.directory, instanceId: lab.instanceId });
      await daemon.says();
      await sleep(afterMs);
    }

    const context = `killed ${afterMs} ms after it was ready`;
    const driver = await lab.engine();
    const replicas = await eventually(`nothing is under way (${context})`, async () => {
      const all = await driver.replicas();
      return all.some(({ state }) => state === "stopping" || state === "starting") ? undefined : all;
    });
    const running = new Map(replicas.filter(({ pid }) => pid !== undefined).map(({ id, pid }) => [id, pid]));
    for (const [id, pid] of running) {
      assert.ok(pid !== undefined && readStartTicks(pid) !== undefined, `${id} does not run: ${context}`);
    }
    await eventually(`all that runs is known (${context})`, () =>
      findCarriers(lab.instanceId, new Set()).every(({ replica }) => running.has(replica)) ? true : undefined,
    );
    assert.ok(
      replicas.every(({ templateHash }) => templateHash === "hash of web"),
      `a record was lost: ${context}`,
    );
    const ports = replicas.map(({ endpoints }) => endpoints[0]?.port);
    assert.equal(new Set(ports).size, ports.length, `a port was given twice: ${context}`);
    await driver.close();
    assert.ok(
      [...running.values()].every((pid) => pid === undefined || lab.running().includes(pid)),
      context,
    );
  }
  const last = await lab.engine();
  for (const { id } of await last.replicas()) await last.remove(id);
  assert.deepEqual(lab.running(), []);
});
