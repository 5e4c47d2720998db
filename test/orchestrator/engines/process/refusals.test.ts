import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmod, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { findCommand } from "../../../../orchestrator/engines/process/command.ts";
import { openProcessEngine } from "../../../../orchestrator/engines/process/engine.ts";
import { Lab, serviceOf, shell } from "./harness.ts";

const notRoot = process.getuid?.() === 0 ? false : "only root can become another user or mount a small disk";

describe("what cannot be done is said, and nothing is half done", () => {
  test("a command that is nowhere names the service, the command and where it was looked for", async (t) => {
    const lab = await Lab.open(t);
    const driver = await lab.engine();
    const service = serviceOf({ command: ["no-such-command"], environment: { PATH: "/opt/none:/bin" } });
    await assert.rejects(driver.create(service), {
      code: "ENGINE_REFUSED",
      message: "shop_web: no-such-command was not found in PATH /opt/none:/bin",
    });
    assert.deepEqual(await driver.replicas(), []);
    assert.deepEqual(await readdir(join(lab.directory, "process")), ["logs"]);
  });

  test("a file that may not be executed, and a directory that is not there", async (t) => {
    const lab = await Lab.open(t);
    const driver = await lab.engine();
    await writeFile(join(lab.directory, "serve"), "#!/bin/sh\n", { mode: 0o644 });
    await assert.rejects(driver.create(serviceOf({ command: ["./serve"] })), {
      code: "ENGINE_REFUSED",
      message: /serve may not be executed: permission denied/u,
    });
    await assert.rejects(driver.create(serviceOf({ command: ["sh"], workingDirectory: "app" })), {
      code: "ENGINE_REFUSED",
      message: `shop_web: ${lab.directory}/app does not exist`,
    });
  });

  test("a directory of PATH that cannot be searched is passed over, a file that is no program is named", async (t) => {
    const { directory } = await Lab.open(t);
    await mkdir(join(directory, "tool"));
    await writeFile(join(directory, "data"), "", { mode: 0o644 });
    const path = `${directory}/data:${directory}:/bin`;
    assert.deepEqual(findCommand("sh", path, "/"), { path: "/bin/sh" });
    assert.deepEqual(findCommand("tool", path, "/"), { problem: `tool was not found in PATH ${path}` });
    assert.deepEqual(findCommand("data", path, "/"), {
      problem: `${directory}/data may not be executed: permission denied`,
    });
    assert.deepEqual(findCommand("./tool", path, directory), { problem: `${directory}/tool is not a file` });
    assert.deepEqual(findCommand("sh", "bin", "/"), { path: "/bin/sh" });
  });

  test("a command that went away since is refused at the start, and the replica stays as it was", async (t) => {
    const lab = await Lab.open(t);
    const driver = await lab.engine();
    const path = join(lab.directory, "serve");
    await writeFile(path, "#!/bin/sh\nexec sleep 600\n", { mode: 0o755 });
    const id = await driver.create(serviceOf({ command: [path] }));
    await chmod(path, 0o644);
    await assert.rejects(driver.start(id), { code: "ENGINE_REFUSED", message: /permission denied/u });
    assert.equal((await driver.seen(id)).state, "created");
    await chmod(path, 0o755);
    await driver.start(id);
    assert.equal((await driver.seen(id)).state, "running");
  });

  test("another user runs it, and what that user may not execute is refused", {
    skip: notRoot,
  }, async (t) => {
    const lab = await Lab.open(t);
    await chmod(lab.directory, 0o711);
    const driver = await lab.engine();
    const id = await driver.run(
      serviceOf({ command: ["sh", "-c", "id -u; id -g; echo $USER"], user: "nobody" }),
    );
    await driver.until(id, "exited");
    assert.match(await driver.log(id), /^65534\n65534\nnobody\n/u);
    await writeFile(join(lab.directory, "mine"), "#!/bin/sh\n", { mode: 0o700 });
    const other = await driver.create(serviceOf({ command: ["./mine"], user: "1234:4321" }), 2);
    await assert.rejects(driver.start(other), {
      code: "ENGINE_REFUSED",
      message: /mine may not be executed as user 1234: permission denied/u,
    });
    assert.equal((await driver.seen(other)).state, "created");
    assert.deepEqual(lab.running(), []);
  });

  test("a data directory that cannot be used", async (t) => {
    const lab = await Lab.open(t);
    await writeFile(join(lab.directory, "file"), "");
    const options = lab.options({ dataDirectory: join(lab.directory, "file") });
    await assert.rejects(openProcessEngine(options), { code: "STORE_UNUSABLE" });
  });

  test("a full disk: nothing is created, nothing started, and what runs can be stopped", {
    skip: notRoot,
  }, async (t) => {
    const lab = await Lab.open(t);
    const disk = join(lab.directory, "disk");
    await mkdir(disk);
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk]);
    if (mounted.status !== 0) return t.skip(`no tmpfs can be mounted here: ${mounted.stderr}`);
    try {
      await usesUpDisk(lab, disk);
    } finally {
      spawnSync("umount", ["-l", disk]);
    }
  });
});

async function usesUpDisk(lab: Lab, disk: string): Promise<void> {
  const driver = await lab.engine({ dataDirectory: disk });
  const running = await driver.run(shell("exec sleep 600"), 1);
  const created = await driver.create(shell("exec sleep 600"), 2);
  await assert.rejects(writeFile(join(disk, "rest"), Buffer.alloc(2 ** 20)), { code: "ENOSPC" });
  await assert.rejects(driver.create(shell("exec sleep 600"), 3), { code: "STORE_FULL" });
  await assert.rejects(driver.start(created), { code: "STORE_FULL" });
  assert.equal((await driver.seen(created)).state, "created");
  assert.equal(lab.running().length, 1);
  await driver.stop(running);
  assert.equal((await driver.seen(running)).state, "exited");
  for (const { id } of await driver.replicas()) await driver.remove(id);
}
