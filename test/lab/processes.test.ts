import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { identify, isRunning, startDetached, stop, withArgument } from "./processes.ts";

async function startNode(t: TestContext, script: string) {
  const folder = await mkdtemp(join(tmpdir(), "flyball-processes-"));
  const logFile = join(folder, "log");
  const child = await startDetached(process.execPath, ["-e", script, logFile], { env: {}, logFile });
  t.after(async () => {
    await stop(child, 0);
    await rm(folder, { recursive: true });
  });
  const printed = async () => {
    let text = "";
    while (text === "") text = await readFile(logFile, "utf8");
    return text;
  };
  return { child, logFile, printed };
}

describe("a process", { timeout: 60_000 }, () => {
  test("is known by its number and the time it started", () => {
    const me = identify(process.pid);
    assert.ok(me !== undefined && isRunning(me));
    assert.equal(isRunning({ ...me, startTicks: me.startTicks + 1 }), false);
  });

  test("that another one's number came to is not ended", async (t) => {
    const { child, printed } = await startNode(t, "console.log('ready'); setInterval(() => {}, 1000)");
    await printed();
    await stop({ ...child, startTicks: child.startTicks - 1 }, 0);
    assert.equal(isRunning(child), true);
  });

  test("that ignores the gentle signal is ended all the same", async (t) => {
    const script = "process.on('SIGTERM', () => {}); console.log('ready'); setInterval(() => {}, 1000)";
    const { child, printed } = await startNode(t, script);
    await printed();
    await stop(child, 100);
    assert.equal(isRunning(child), false);
  });

  test("is found by one whole argument", async (t) => {
    const { child, logFile } = await startNode(t, "setInterval(() => {}, 1000)");
    assert.deepEqual(withArgument(logFile), [child]);
    assert.deepEqual(withArgument(logFile.slice(0, -1)), []);
  });
});
