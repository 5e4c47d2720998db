import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Host, openReader } from "../../collector/read/reader.ts";
import { Stillness } from "../../collector/read/stillness.ts";

const ID = "4f6c0e1d2b3a49587766554433221100ffeeddccbbaa99887766554433221100";

/** A recorded machine whose files can be changed. */
function recordedCopy(name: string) {
  const root = mkdtempSync(join(tmpdir(), "flyball-still-"));
  cpSync(fileURLToPath(new URL(`fixtures/${name}`, import.meta.url)), root, { recursive: true });
  return {
    open: () => openReader({ id: ID, pid: 4242, kind: "container" }, new Host(root)),
    change(path: string, before: string, after: string) {
      const text = readFileSync(join(root, path), "utf8");
      assert.ok(text.includes(before), `${path} holds ${before}`);
      writeFileSync(join(root, path), text.replace(before, after));
    },
    [Symbol.dispose]: () => rmSync(root, { recursive: true }),
  };
}

const HIERARCHY = "sys/fs/cgroup";

describe("a cgroup in which no task ran", () => {
  test("is read once in a while all the same", () => {
    const stillness = new Stillness(3);
    stillness.holds(1, 1);
    const answers = Array.from({ length: 12 }, () => stillness.holds(1, 1));
    assert.equal(answers.filter((holds) => !holds).length, 3);
    assert.equal(
      answers.findLastIndex((holds) => !holds) - answers.findIndex((holds) => !holds),
      8,
      "at equal distances",
    );
  });

  test("is still only while both numbers are there and the same", () => {
    const stillness = new Stillness(100);
    stillness.holds(1, 1);
    for (const [first, second, holds] of [
      [1, 1, true],
      [2, 1, false],
      [2, 1, true],
      [2, 2, false],
      [undefined, 2, false],
      [undefined, 2, false],
      [2, undefined, false],
      [2, undefined, false],
    ] as const) {
      assert.equal(stillness.holds(first, second), holds, `${first} ${second}`);
    }
  });

  test("shows what moved without it at last, and what moved with it at once", () => {
    using machine = recordedCopy("v1-cgroupfs");
    using reader = machine.open();
    const cgroup = `docker/${ID}`;
    const threads = () => reader.read().threads;
    assert.equal(threads(), 2);
    machine.change(`${HIERARCHY}/pids/${cgroup}/pids.current`, "2", "3");
    const seen = Array.from({ length: 11 }, threads);
    assert.ok(seen.includes(2) && seen.at(-1) === 3, seen.join(" "));
    machine.change(`${HIERARCHY}/pids/${cgroup}/pids.current`, "3", "4");
    machine.change(`${HIERARCHY}/cpuacct/${cgroup}/cpuacct.usage`, "1284795729", "1284795730");
    assert.equal(threads(), 4);
  });
});
