import assert from "node:assert/strict";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { isSystemError } from "../../core/errors.ts";
import { serviceViewSchema } from "../../core/wire.ts";
import { freePort } from "../lab/free-port.ts";
import { flyballProcess } from "./flyball-process.ts";

const COMPOSE = `
name: parcel
services:
  worker:
    image: parcel/worker
    command: ["sleep", "1000"]
    stop_grace_period: 2s
    deploy: { replicas: 2 }
`;
const PATIENCE_MS = 20_000;

test("a detached daemon takes a project, scales it, removes it, and is alone on its data directory", async () => {
  await using cleanup = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "flyball-detached-"));
  cleanup.defer(() => rm(directory, { recursive: true }));
  const file = join(directory, "compose.yaml");
  await writeFile(file, COMPOSE);
  const environment = {
    FLYBALL_LISTEN: `127.0.0.1:${await freePort()}`,
    FLYBALL_DATA_DIR: join(directory, "data"),
    FLYBALL_ENGINE: "process",
  };
  const flyball = (words: string, more: Record<string, string> = {}) =>
    flyballProcess(words.split(" "), { ...environment, ...more });

  const up = await flyball(`up -d -f ${file}`);
  const pid = Number(/as process (\d+)/.exec(up.stderr)?.[1]);
  cleanup.defer(() => stopProcess(pid));
  // Also where an assertion failed before, no replica may stay.
  cleanup.defer(async () => void (await flyball("down -p parcel")));
  assert.equal(up.status, 0, up.stderr);
  assert.match(up.stdout, /^parcel: 1 service, \d+ steps\n/);
  const log = await stat(join(directory, "data", "flyball.log"));
  assert.equal(log.mode & 0o077, 0);

  assert.equal((await flyball("scale worker=3")).stdout, "parcel_worker: 2 -> 3\n");
  const ready = async () => {
    const [worker] = z.array(serviceViewSchema).parse(JSON.parse((await flyball("ps --json")).stdout));
    return worker?.replicas.ready;
  };
  for (const giveUp = Date.now() + PATIENCE_MS; (await ready()) !== 3; await sleep(100)) {
    assert.ok(Date.now() < giveUp, "three replicas were never ready");
  }

  const elsewhere = { FLYBALL_LISTEN: `127.0.0.1:${await freePort()}` };
  const second = await flyball(`up -d -f ${file}`, elsewhere);
  assert.equal(second.status, 6, second.stderr);
  assert.match(second.stderr, /STORE_LOCKED: the daemon did not start: /);

  const down = await flyball("down -p parcel");
  assert.equal(down.status, 0, down.stderr);
  assert.match(down.stdout, /the project is being removed/);
  assert.equal((await flyball("ps --json")).stdout, "[]\n");
});

/** Stops a process that is not a child of this one, and waits until it is gone. */
async function stopProcess(pid: number): Promise<void> {
  process.kill(pid, "SIGTERM");
  for (const giveUp = Date.now() + PATIENCE_MS; ; await sleep(50)) {
    try {
      process.kill(pid, Date.now() < giveUp ? 0 : "SIGKILL");
    } catch (error) {
      if (isSystemError(error, "ESRCH")) return;
      throw error;
    }
  }
}
