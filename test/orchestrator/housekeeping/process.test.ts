import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "../../../core/clock.ts";
import { createLog } from "../../../core/log.ts";
import { Store } from "../../../core/store.ts";
import type { Project } from "../../../core/types.ts";
import { MINUTE_MS } from "../../../core/units.ts";
import { Housekeeping } from "../../../orchestrator/housekeeping/housekeeping.ts";
import { Lab, projectOf, shell } from "../engines/process/harness.ts";

test("on the process engine: what replicas left on disk, and those of a project that is gone; foreign files stay", async (t) => {
  const lab = await Lab.open(t);
  const driver = await lab.engine();
  const web = shell("exec sleep 600");
  const id = await driver.run(web);
  const place = join(lab.directory, "process");
  const orphan = "0123456789abcdef";
  const files = {
    [`logs/${orphan}.log`]: "gone",
    [`logs/${orphan}.log.1`]: "gone before",
    "logs/notes.log": "a person's own",
    "bad.json.unreadable": "{",
    "bad.txt": "a person's own",
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(place, name), text);
  mkdirSync(join(place, "logs", `${orphan.replace("0", "f")}.log`));

  const directory = mkdtempSync(join(tmpdir(), "flyball-keeper-"));
  t.after(() => rmSync(directory, { recursive: true }));
  using store = new Store(directory);
  let laterMs = 0;
  let projects: readonly Project[] = [projectOf(lab.directory, web)];
  await using keeper = new Housekeeping({
    engine: driver.engine,
    store,
    clock: { nowMs: () => Date.now() + laterMs, monotonicMs: () => systemClock.monotonicMs() },
    log: createLog("silent"),
    instanceId: lab.instanceId,
    projects: () => projects,
  });
  const planned = async () => (await keeper.plan()).items.map(({ key, bytes }) => `${key} ${bytes ?? "?"}`);
  assert.deepEqual(await planned(), []);
  laterMs = 11 * MINUTE_MS;
  assert.deepEqual(await planned(), [
    `log ${orphan}.log 4`,
    `log ${orphan}.log.1 11`,
    "record bad.json.unreadable 1",
  ]);
  projects = [];
  const { items } = await keeper.plan();
  assert.deepEqual(
    items.filter(({ kind }) => kind === "replica").map(({ key, why }) => `${key}: ${why}`),
    [`replica ${id}: it runs, and project shop is not known any more`],
  );

  const swept = await keeper.sweep(items.map(({ key }) => key));
  assert.equal(swept.length, 4);
  assert.deepEqual(
    swept.flatMap(({ problem }) => problem ?? []),
    [],
  );
  assert.deepEqual(await planned(), []);
  assert.deepEqual(lab.running(), []);
  const left = Object.keys(files).filter((name) => existsSync(join(place, name)));
  assert.deepEqual(left, ["logs/notes.log", "bad.txt"]);
});

test("a file that a replica has, or that lies elsewhere, is refused", async (t) => {
  const lab = await Lab.open(t);
  const driver = await lab.engine();
  const id = await driver.run(shell("exec sleep 600"));
  const found = { name: "x", inUse: false, isNamed: false } as const;
  const signal = AbortSignal.timeout(30_000);
  for (const file of [`${id}.log`, "../../flyball.db", "notes.log"]) {
    await assert.rejects(driver.engine.discard({ ...found, kind: "log", id: file }, signal), /stays/);
  }
  await assert.rejects(
    driver.engine.discard({ ...found, kind: "record", id: "../x.json.unreadable" }, signal),
    /stays/,
  );
});
