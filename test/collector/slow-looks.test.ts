import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { diskUseBytes } from "../../collector/read/disk-use.ts";
import type { Details } from "../../collector/read/measurement.ts";
import { lookAtProcesses, parseOpenFilesLimit } from "../../collector/read/processes-look.ts";
import { deviceNumbers, SlowLooks } from "../../collector/read/slow-looks.ts";
import { systemClock } from "../../core/clock.ts";
import { REST, SPIN, sleep, startChild } from "./busy-child.ts";
import { discovered } from "./expose/readings.ts";

const atOnce = async () => {};
const never = new AbortController().signal;

function folder(): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "flyball-disk-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

describe("the use of a disk", () => {
  test("is what du says: each file once, links not followed", async () => {
    using files = folder();
    mkdirSync(join(files.path, "a/b"), { recursive: true });
    writeFileSync(join(files.path, "a/b/large"), Buffer.alloc(3_000_000, 1));
    linkSync(join(files.path, "a/b/large"), join(files.path, "again"));
    symlinkSync("/usr", join(files.path, "elsewhere"));
    for (let index = 0; index < 50; index += 1)
      writeFileSync(join(files.path, `a/${index}`), "x".repeat(index * 100));
    const [said] = execFileSync("du", ["-s", "--block-size=1", files.path], { encoding: "utf8" }).split("\t");
    const [own] = execFileSync("stat", ["-c", "%b", files.path], { encoding: "utf8" }).split("\n");
    assert.equal(await diskUseBytes(files.path, atOnce, never), Number(said) - Number(own) * 512);
  });

  test("is unknown for what is not there, and when it is told to stop", async () => {
    using files = folder();
    writeFileSync(join(files.path, "one"), "");
    assert.equal(await diskUseBytes(join(files.path, "missing"), atOnce, never), undefined);
    assert.equal(await diskUseBytes(files.path, atOnce, AbortSignal.abort()), undefined);
  });
});

function look(pids: readonly number[]): Details {
  const steps = lookAtProcesses("/proc", pids);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

describe("a look at processes", () => {
  test("counts their files, sockets and threads, and leaves out those that ended", async () => {
    await using spinning = await startChild(SPIN);
    await spinning.said("spinning");
    await using listening = await startChild(
      `require("node:net").createServer().listen(0, "127.0.0.1", () => console.log("listening"));`,
    );
    await listening.said("listening");
    const {
      processes,
      openFiles = 0,
      sockets = 0,
      openFilesLimit = 0,
      tasks,
    } = look([spinning.pid, listening.pid, 999_999_999]);
    assert.equal(processes, 2);
    assert.ok(openFiles > sockets && sockets >= 1);
    assert.ok(openFilesLimit > 0);
    assert.ok((tasks?.running ?? 0) + (tasks?.sleeping ?? 0) >= 2);
    assert.deepEqual(look([999_999_999]), {
      processes: 0,
      openFiles: 0,
      sockets: 0,
      tasks: { running: 0, sleeping: 0, stopped: 0, uninterruptible: 0 },
    });
  });

  test("reads a limit, and none where there is none", () => {
    assert.equal(
      parseOpenFilesLimit("Limit  Soft\nMax open files            1024                 4096   files\n"),
      1_024,
    );
    assert.equal(
      parseOpenFilesLimit("Max open files            unlimited            unlimited   files\n"),
      undefined,
    );
  });
});

describe("slow looks", () => {
  test("hand over what they found of each container, and end when they are told to", async () => {
    using files = folder();
    writeFileSync(join(files.path, "file"), Buffer.alloc(100_000, 1));
    await using child = await startChild(REST);
    await child.said("resting");
    const found = new Map<string, Details>();
    const containers = ["a", "b"].map((id) =>
      discovered({
        id,
        writableLayer: files.path,
        volumes: [{ name: "data", path: files.path, target: "/data" }],
      }),
    );
    await using _looks = new SlowLooks({
      root: "/",
      clock: systemClock,
      containers: () => containers,
      pidsOf: () => [child.pid],
      note: (id, details) => found.set(id, { ...found.get(id), ...details }),
    });
    const isWhole = (id: string) =>
      found.get(id)?.processes !== undefined && found.get(id)?.filesystems !== undefined;
    while (!isWhole("a") || !isWhole("b")) await sleep(20);
    const { processes, filesystems, volumes } = found.get("b") ?? {};
    assert.equal(processes, 1);
    assert.ok((filesystems?.[0]?.usageBytes ?? 0) >= 100_000);
    assert.ok((filesystems?.[0]?.sizeBytes ?? 0) > (filesystems?.[0]?.usageBytes ?? 0));
    assert.equal(volumes?.[0]?.target, "/data");
  });

  for (const [number, numbers] of [
    [0xfe00, "254:0"],
    [0x0801, "8:1"],
    // A minor number above 255 goes on behind the major one.
    [0x10_0001 + 0x0800, "8:257"],
  ] as const) {
    test(`know device ${number} as ${numbers}`, () => assert.equal(deviceNumbers(number), numbers));
  }
});
