import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { type ErrorCode, FlyballError } from "../../core/errors.ts";
import { type Migrations, Store } from "../../core/store.ts";

const HOLDER = join(import.meta.dirname, "fixtures", "hold-store.ts");
const TABLE: Migrations = { room: "test", steps: ["CREATE TABLE entry (value TEXT NOT NULL) STRICT"] };

let root: string;
let made = 0;
before(() => {
  root = mkdtempSync(join(tmpdir(), "flyball-store-"));
});
after(() => rmSync(root, { recursive: true, force: true }));

function newDirectory(): string {
  made += 1;
  return join(root, `data-${made}`);
}

function opened(t: TestContext, directory = newDirectory()): Store {
  const store = new Store(directory);
  t.after(() => store[Symbol.dispose]());
  return store;
}

function valuesIn(store: Store): unknown[] {
  return store.all("SELECT value FROM entry ORDER BY rowid").map((row) => row["value"]);
}

function coded(code: ErrorCode, text = /./): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof FlyballError, `expected a coded error, got ${error}`);
    assert.equal(error.code, code);
    assert.match(error.message, text);
    return true;
  };
}

describe("the store", () => {
  test("keeps what was written when it is opened again", (t) => {
    const directory = newDirectory();
    {
      using store = new Store(directory);
      store.migrate(TABLE);
      store.run("INSERT INTO entry (value) VALUES (?)", "kept");
    }
    const store = opened(t, directory);
    store.migrate(TABLE);
    assert.deepEqual(valuesIn(store), ["kept"]);
    assert.equal(store.get("SELECT value FROM entry WHERE value = ?", "other"), undefined);
  });

  test("is for its owner's eyes only", (t) => {
    const directory = newDirectory();
    const store = opened(t, directory);
    store.migrate(TABLE);
    assert.equal(statSync(directory).mode & 0o777, 0o700);
    for (const file of ["flyball.db", "flyball.db-wal"]) {
      assert.equal(statSync(join(directory, file)).mode & 0o077, 0, file);
    }
  });

  test("says that it cannot be used when it is closed, and may be closed twice", () => {
    const store = new Store(newDirectory());
    store[Symbol.dispose]();
    store[Symbol.dispose]();
    assert.throws(() => store.get("SELECT 1"), coded("STORE_UNUSABLE"));
  });

  test("gives a coded error for a statement that is wrong, and goes on", (t) => {
    const store = opened(t);
    assert.throws(() => store.run("INSERT INTO nowhere VALUES (1)"), coded("STORE_UNUSABLE", /nowhere/));
    store.migrate(TABLE);
    assert.throws(() => store.run("INSERT INTO entry (value) VALUES (?)", null), coded("STORE_UNUSABLE"));
    assert.deepEqual(valuesIn(store), []);
  });
});

describe("a transaction", () => {
  test("gives its result when all of it was written", (t) => {
    const store = opened(t);
    store.migrate(TABLE);
    const result = store.transaction(() => {
      store.run("INSERT INTO entry (value) VALUES ('a')");
      store.run("INSERT INTO entry (value) VALUES ('b')");
      return valuesIn(store).length;
    });
    assert.equal(result, 2);
    assert.deepEqual(valuesIn(store), ["a", "b"]);
  });

  test("that throws leaves nothing behind, and lets through what it threw", (t) => {
    const store = opened(t);
    store.migrate(TABLE);
    const thrown = new RangeError("the caller's own");
    assert.throws(
      () =>
        store.transaction(() => {
          store.run("INSERT INTO entry (value) VALUES ('a')");
          throw thrown;
        }),
      (error) => error === thrown,
    );
    assert.deepEqual(valuesIn(store), []);
    store.transaction(() => store.run("INSERT INTO entry (value) VALUES ('b')"));
    assert.deepEqual(valuesIn(store), ["b"]);
  });

  test("inside another is refused, and nothing of either is left", (t) => {
    const store = opened(t);
    store.migrate(TABLE);
    assert.throws(
      () =>
        store.transaction(() => {
          store.run("INSERT INTO entry (value) VALUES ('outer')");
          store.transaction(() => store.run("INSERT INTO entry (value) VALUES ('inner')"));
        }),
      coded("STORE_UNUSABLE"),
    );
    assert.deepEqual(valuesIn(store), []);
  });
});

describe("migrations", () => {
  test("are applied once each, and only the new ones later", (t) => {
    const store = opened(t);
    store.migrate(TABLE);
    store.migrate(TABLE);
    store.run("INSERT INTO entry (value) VALUES ('old')");
    const newer = { ...TABLE, steps: [...TABLE.steps, "ALTER TABLE entry ADD COLUMN note TEXT"] };
    store.migrate(newer);
    store.migrate(newer);
    assert.deepEqual({ ...store.get("SELECT value, note FROM entry") }, { value: "old", note: null });
  });

  test("of one room do not count for another", (t) => {
    const store = opened(t);
    store.migrate(TABLE);
    store.migrate({ room: "other", steps: ["CREATE TABLE other (value TEXT) STRICT"] });
    assert.deepEqual(store.all("SELECT value FROM other"), []);
  });

  test("that fail are coded errors and leave nothing of any step", (t) => {
    const store = opened(t);
    const failing: Migrations = { room: "test", steps: [...TABLE.steps, "CREATE TABLE broken ("] };
    assert.throws(() => store.migrate(failing), coded("STORE_UNUSABLE"));
    assert.equal(store.get("SELECT name FROM sqlite_schema WHERE name = 'entry'"), undefined);
    store.migrate(TABLE);
    assert.deepEqual(valuesIn(store), []);
  });

  test("of a newer Flyball are refused, and its data is left as it is", (t) => {
    const directory = newDirectory();
    const newer: Migrations = { ...TABLE, steps: [...TABLE.steps, "ALTER TABLE entry ADD COLUMN note TEXT"] };
    {
      using store = new Store(directory);
      store.migrate(newer);
      store.run("INSERT INTO entry (value, note) VALUES ('kept', 'too')");
    }
    const store = opened(t, directory);
    assert.throws(
      () => store.migrate(TABLE),
      coded("STORE_UNUSABLE", /newer Flyball: test is at version 2, this one knows 1/),
    );
    store.migrate(newer);
    assert.deepEqual({ ...store.get("SELECT value, note FROM entry") }, { value: "kept", note: "too" });
  });
});

describe("a data directory that cannot be used", () => {
  test("because it is a file is named", () => {
    const path = newDirectory();
    writeFileSync(path, "");
    assert.throws(() => new Store(path), coded("STORE_UNUSABLE", new RegExp(path)));
  });

  test("because its file is not a database is named, and the file is left as it is", () => {
    const directory = newDirectory();
    mkdirSync(directory);
    const text = "not a database, but long enough to be taken for one. ".repeat(100);
    writeFileSync(join(directory, "flyball.db"), text);
    assert.throws(() => new Store(directory), coded("STORE_UNUSABLE", new RegExp(directory)));
    assert.equal(statSync(join(directory, "flyball.db")).size, text.length);
  });
});

describe("one daemon to a data directory", () => {
  test("a second store in the same process is refused", (t) => {
    const directory = newDirectory();
    opened(t, directory);
    assert.throws(() => new Store(directory), coded("STORE_LOCKED", new RegExp(directory)));
  });

  test("a second process is refused until the first has closed", (t) => {
    const directory = newDirectory();
    const store = opened(t, directory);
    const refused = spawnSync(process.execPath, [HOLDER, directory], { encoding: "utf8" });
    assert.equal(refused.stdout, `STORE_LOCKED: another daemon works on the data directory ${directory}\n`);
    store.migrate(TABLE);
    store.run("INSERT INTO entry (value) VALUES ('undisturbed')");
    assert.deepEqual(valuesIn(store), ["undisturbed"]);
  });

  test("a process that is killed lets go of it, and what it committed is there", async (t) => {
    const directory = newDirectory();
    const holder = spawn(process.execPath, [HOLDER, directory], { stdio: ["ignore", "pipe", "inherit"] });
    t.after(() => holder.kill("SIGKILL"));
    assert.equal(await firstLine(holder), "open\n");
    assert.throws(() => new Store(directory), coded("STORE_LOCKED"));

    const ended = once(holder, "exit");
    holder.kill("SIGKILL");
    await ended;
    const store = opened(t, directory);
    assert.deepEqual({ ...store.get("SELECT value FROM held") }, { value: "committed" });
  });
});

async function firstLine(child: ChildProcess): Promise<string> {
  assert.ok(child.stdout !== null);
  child.stdout.setEncoding("utf8");
  const [line] = await once(child.stdout, "data");
  return String(line);
}

describe("a full disk", { skip: whyNoTmpfs() }, () => {
  /** A disk of two megabytes with a store on it. */
  function smallDisk(t: TestContext, files = 100): { directory: string; fill: () => void; free: () => void } {
    const directory = newDirectory();
    mkdirSync(directory);
    execFileSync("mount", [
      "-t",
      "tmpfs",
      "-o",
      `size=2m,nr_inodes=${files},mode=0700`,
      "flyball-test",
      directory,
    ]);
    t.after(() => execFileSync("umount", [directory]));
    const filler = join(directory, "filler");
    return {
      directory,
      fill: () => {
        // By halves, so that not one page is left.
        for (let size = 2 ** 21; size >= 1; size = Math.floor(size / 2)) {
          try {
            writeFileSync(filler, Buffer.alloc(size), { flag: "a" });
          } catch (error) {
            assert.match(String(error), /ENOSPC/);
          }
        }
      },
      free: () => rmSync(filler),
    };
  }

  const LARGE = "x".repeat(64 * 1024);

  /** Writes until the room that the file already has is used up too. */
  function writeUntilFull(store: Store): void {
    for (let count = 0; count < 100; count++) store.run("INSERT INTO entry (value) VALUES (?)", LARGE);
  }

  test("refuses the write, keeps what was there, and the store goes on once there is room", (t) => {
    const disk = smallDisk(t);
    {
      using store = new Store(disk.directory);
      store.migrate(TABLE);
      store.run("INSERT INTO entry (value) VALUES ('before')");
      disk.fill();
      assert.throws(() => writeUntilFull(store), coded("STORE_FULL"));
      const kept = valuesIn(store);
      assert.equal(kept[0], "before");
      assert.throws(
        () =>
          store.transaction(() => {
            store.run("INSERT INTO entry (value) VALUES ('half')");
            writeUntilFull(store);
          }),
        coded("STORE_FULL"),
      );
      assert.deepEqual(valuesIn(store), kept);

      disk.free();
      store.run("INSERT INTO entry (value) VALUES ('after')");
      assert.deepEqual(valuesIn(store), [...kept, "after"]);
    }
    using again = new Store(disk.directory);
    assert.equal(valuesIn(again).at(-1), "after");
    assert.equal(again.get("PRAGMA integrity_check")?.["integrity_check"], "ok");
  });

  test("refuses a migration whole", (t) => {
    const disk = smallDisk(t);
    using store = new Store(disk.directory);
    store.migrate(TABLE);
    disk.fill();
    const growing = `INSERT INTO entry (value) SELECT hex(zeroblob(100000)) FROM
      (WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50) SELECT i FROM n)`;
    const larger: Migrations = { ...TABLE, steps: [...TABLE.steps, growing] };
    assert.throws(() => store.migrate(larger), coded("STORE_FULL"));
    assert.deepEqual(valuesIn(store), []);
    disk.free();
    store.migrate(TABLE);
  });

  test("is told when it has no room for even the directory", (t) => {
    const disk = smallDisk(t, 1);
    assert.throws(() => new Store(join(disk.directory, "data")), coded("STORE_FULL"));
  });

  test("is told when a data directory is made on it, and it opens once there is room", (t) => {
    const disk = smallDisk(t);
    disk.fill();
    const inside = join(disk.directory, "data");
    assert.throws(() => new Store(inside), coded("STORE_FULL"));
    disk.free();
    using store = new Store(inside);
    store.migrate(TABLE);
    assert.deepEqual(valuesIn(store), []);
  });
});

function whyNoTmpfs(): string | false {
  if (process.platform !== "linux" || process.getuid?.() !== 0)
    return "needs root on Linux, to mount a small disk";
  const directory = mkdtempSync(join(tmpdir(), "flyball-mount-"));
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "flyball-test", directory]);
  if (mounted.status === 0) execFileSync("umount", [directory]);
  rmSync(directory, { recursive: true, force: true });
  return mounted.status === 0 ? false : "needs to mount a small disk, and may not here";
}
