import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { Healthcheck } from "../../../../core/types.ts";
import {
  afterCheck,
  checkCommand,
  GOOD_HEALTH,
  pauseMs,
  UNKNOWN_HEALTH,
} from "../../../../orchestrator/engines/process/health.ts";
import { eventually, Lab, shell } from "./harness.ts";

const CHECK: Healthcheck = {
  test: ["CMD-SHELL", "test -e ready"],
  intervalMs: 30,
  timeoutMs: 5_000,
  retries: 2,
  startPeriodMs: 0,
};

describe("what checks mean", () => {
  const check = { ...CHECK, intervalMs: 10_000, retries: 3, startPeriodMs: 60_000 };

  test("the first success ends the start, however early", () => {
    assert.deepEqual(afterCheck(check, UNKNOWN_HEALTH, true, 1), GOOD_HEALTH);
  });

  test("failures of the start period do not count, later ones do", () => {
    let health = afterCheck(check, UNKNOWN_HEALTH, false, 59_999);
    assert.deepEqual(health, UNKNOWN_HEALTH);
    health = afterCheck(check, health, false, 60_000);
    health = afterCheck(check, health, false, 70_000);
    assert.deepEqual(health, { state: "starting", failures: 2 });
    assert.equal(afterCheck(check, health, false, 80_000).state, "unhealthy");
  });

  test("a replica that served is unhealthy only after all its retries in a row", () => {
    let health = afterCheck(check, GOOD_HEALTH, false, 1);
    health = afterCheck(check, health, false, 2);
    assert.equal(health.state, "running");
    assert.deepEqual(afterCheck(check, health, true, 3), GOOD_HEALTH);
    assert.equal(afterCheck(check, health, false, 3).state, "unhealthy");
  });

  test("a replica that starts is asked often, and never more seldom than one that runs", () => {
    assert.equal(pauseMs(check, UNKNOWN_HEALTH, 0), 1_000);
    assert.equal(pauseMs({ ...check, startIntervalMs: 250 }, UNKNOWN_HEALTH, 0), 250);
    assert.equal(pauseMs({ ...check, intervalMs: 500 }, UNKNOWN_HEALTH, 0), 500);
    assert.equal(pauseMs(check, GOOD_HEALTH, 0), 10_000);
    assert.equal(pauseMs(check, UNKNOWN_HEALTH, 60_000), 10_000);
  });

  test("a test is an argv, a line for a shell, or nothing", () => {
    assert.deepEqual(checkCommand(["CMD", "a", "b"]), ["a", "b"]);
    assert.deepEqual(checkCommand(["CMD-SHELL", "a b"]), ["/bin/sh", "-c", "a b"]);
    assert.equal(checkCommand(["NONE"]), undefined);
    assert.equal(checkCommand([]), undefined);
  });
});

describe("a replica with a healthcheck", () => {
  test("is starting, then running, unhealthy when it fails, and running again", async (t) => {
    const lab = await Lab.open(t);
    const driver = await lab.engine();
    const ready = join(lab.directory, "ready");
    const healthcheck = { ...CHECK, startPeriodMs: 60_000 };
    const id = await driver.run(shell("exec sleep 600", { healthcheck }));
    assert.equal((await driver.seen(id)).state, "starting");
    assert.equal((await driver.seen(id)).readyAtMs, undefined);
    await writeFile(ready, "");
    const { readyAtMs } = await driver.until(id, "running");
    assert.ok(readyAtMs !== undefined);
    await rm(ready);
    await driver.until(id, "unhealthy");
    await writeFile(ready, "");
    assert.equal((await driver.until(id, "running")).readyAtMs, readyAtMs);
  });

  test("is unhealthy when it never answers, and keeps what it was known as over a restart of the daemon", async (t) => {
    const lab = await Lab.open(t);
    const first = await lab.engine();
    const id = await first.run(shell("exec sleep 600", { healthcheck: CHECK }));
    await first.until(id, "unhealthy");
    await writeFile(join(lab.directory, "ready"), "");
    await first.until(id, "running");
    await first.close();
    const second = await lab.engine();
    assert.equal((await second.seen(id)).state, "running");
    await rm(join(lab.directory, "ready"));
    await second.until(id, "unhealthy");
  });

  test("that has just become ready is written down before the engine is closed, however slow the disk", async (t) => {
    const lab = await Lab.open(t);
    const driver = await lab.engine();
    const id = await driver.run(
      shell("exec sleep 600", { healthcheck: { ...CHECK, startPeriodMs: 60_000 } }),
    );
    // A pipe in place of the file takes nothing before somebody reads it.
    const disk = `${lab.recordPath(id)}.tmp`;
    await promisify(execFile)("mkfifo", [disk]);
    await writeFile(join(lab.directory, "ready"), "");
    await driver.until(id, "running");
    let isClosed = false;
    const closing = driver.close().then(() => {
      isClosed = true;
    });
    await sleep(100);
    const wasClosed = isClosed;
    const written = await readFile(disk, "utf8");
    await closing;
    assert.equal(wasClosed, false);
    assert.match(written, /"readyAtMs"/);
    // The pipe could not be kept as a file: the record from before is still there, and with it the replica.
    await (await lab.engine()).seen(id);
  });

  test("a check has the replica's environment, and one that cannot be executed fails", async (t) => {
    const lab = await Lab.open(t);
    const driver = await lab.engine();
    const inside = { ...CHECK, test: ["CMD-SHELL", 'test "$COLOR$FLYBALL_SLOT" = blue1 && test -n "$PORT"'] };
    const id = await driver.run(
      shell("exec sleep 600", { healthcheck: inside, environment: { COLOR: "blue" } }),
    );
    await driver.until(id, "running");
    await driver.remove(id);
    const missing = { ...CHECK, test: ["CMD", "no-such-command"] };
    const other = await driver.run(shell("exec sleep 600", { healthcheck: missing }));
    await driver.until(other, "unhealthy");
  });

  test("a check that hangs is killed with all it started, and counts as failed", async (t) => {
    const lab = await Lab.open(t);
    const driver = await lab.engine();
    const healthcheck = { ...CHECK, test: ["CMD-SHELL", "echo >> asked; sleep 600 & wait"], timeoutMs: 60 };
    const id = await driver.run(shell("exec sleep 600", { healthcheck }));
    await driver.until(id, "unhealthy");
    await driver.stop(id);
    await eventually("no check is left", () => (lab.running().length === 0 ? true : undefined));
  });
});
