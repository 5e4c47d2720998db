import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, open, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { LogFiles, lastLines } from "../../../../orchestrator/engines/process/logs.ts";
import { eventually, Lab, serviceOf, shell } from "./harness.ts";

describe("logs", () => {
  test("both outputs are kept, and the last lines of them given", async (t) => {
    const lab = await Lab.open(t);
    const driver = await lab.engine();
    const script = "for i in 1 2 3 4 5; do echo out $i; echo err $i >&2; done";
    const id = await driver.run(serviceOf({ command: ["/bin/sh", "-c", script] }));
    await driver.until(id, "exited");
    assert.equal(await driver.log(id, 3), "err 4\nout 5\nerr 5\n");
    assert.equal((await driver.log(id, 100)).split("\n").length, 11);
    await driver.remove(id);
    await assert.rejects(driver.log(id), { code: "NOT_FOUND" });
    assert.deepEqual(await readdir(`${lab.directory}/process/logs`), []);
  });

  test("a replica that writes much has its file set aside while it runs", async (t) => {
    const lab = await Lab.open(t);
    const driver = await lab.engine();
    const id = await driver.run(shell("head -c 11000000 /dev/zero; exec sleep 600"));
    const older = join(lab.directory, "process", "logs", `${id}.log.1`);
    const kept = await eventually("it is set aside", async () => await stat(older).catch(() => undefined));
    assert.ok(kept.size <= 11_000_000);
    assert.equal((await driver.seen(id)).state, "running");
  });

  test("a file that is written to is cut under its writer, and no more files are kept than asked for", async (t) => {
    const lab = await Lab.open(t);
    const logs = await LogFiles.open(lab.directory, { maxBytes: 1_000, files: 3 });
    const path = logs.path("web");
    const file = await open(path, "a");
    const writer = spawn("/bin/sh", ["-c", 'while read -r line; do echo "$line"; echo done >&2; done'], {
      stdio: ["pipe", file.fd, "pipe"],
    });
    await file.close();
    const { stdin, stderr } = writer;
    assert.ok(stdin !== null && stderr !== null);
    const write = async (text: string): Promise<void> => {
      const written = once(stderr, "data");
      stdin.write(`${text}\n`);
      await written;
    };
    for (const letter of "abcde") {
      await write(letter.repeat(1_200));
      await logs.rotate("web");
    }
    await write("short");
    await logs.rotate("web");
    stdin.end();
    await once(writer, "exit");
    assert.equal(await readFile(path, "utf8"), "short\n", "no hole is left at its start");
    assert.deepEqual((await readdir(lab.directory)).sort(), ["web.log", "web.log.1", "web.log.2"]);
    assert.equal(await readFile(`${path}.2`, "utf8"), `${"d".repeat(1_200)}\n`);
    assert.equal(await logs.tail("web", 2), `${"e".repeat(1_200)}\nshort\n`);
    await logs.remove("web");
    assert.deepEqual(await readdir(lab.directory), []);
  });

  test("the last lines are found at the end of a large file, without the rest of it", async (t) => {
    const lab = await Lab.open(t);
    const logs = await LogFiles.open(lab.directory);
    await appendFile(logs.path("web"), "ä long line of words\n".repeat(50_000));
    await appendFile(logs.path("web"), "the last, not ended");
    assert.equal(await logs.tail("web", 2), "ä long line of words\nthe last, not ended");
    assert.equal(await logs.tail("nobody", 2), "");
    assert.equal((await stat(logs.path("web"))).size > 1_000_000, true);
  });

  test("a last line counts whether or not it has ended", () => {
    assert.equal(lastLines("a\nb\nc\n", 2), "b\nc\n");
    assert.equal(lastLines("a\nb\nc", 2), "b\nc");
    assert.equal(lastLines("a\n", 5), "a\n");
    assert.equal(lastLines("", 5), "");
    assert.equal(lastLines("a\n", 0), "");
  });
});
