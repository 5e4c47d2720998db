import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { describe, test } from "node:test";
import { KeptFile, type KeptFileOptions } from "../../../cli/template/kept-file.ts";
import { runShell } from "../../../cli/template/shell.ts";
import { directoryOf, Folder } from "./directory.ts";

const TEMPLATE = "{% for endpoint in service.web.endpoints %}{{ endpoint.port }} {% endfor %}\n";

/** A kept file of a folder of its own, whose command writes a line for each time that it runs. */
function keep(options: (folder: Folder) => Partial<KeptFileOptions> = () => ({})) {
  const folder = new Folder();
  const template = folder.write("template", TEMPLATE);
  const open = () =>
    new KeptFile({
      template,
      out: folder.at("out"),
      exec: `cat ${folder.at("out")} >> ${folder.at("taken")}`,
      ...options(folder),
    });
  const file = open();
  return {
    folder,
    open,
    take: (ports: readonly number[], version: number) => file.take(directoryOf({ shop_web: ports }, version)),
    out: () => readFileSync(folder.at("out"), "utf8"),
    taken: () => (existsSync(folder.at("taken")) ? readFileSync(folder.at("taken"), "utf8") : ""),
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

describe("a kept file", () => {
  test("is written, and its command run, only when something has changed", async () => {
    using kept = keep();
    assert.equal((await kept.take([81], 1)).outcome, "written");
    assert.equal(kept.out(), "81 \n");
    assert.equal((await kept.take([81], 2)).outcome, "unchanged");
    assert.equal((await kept.take([81, 82], 3)).outcome, "written");
    assert.equal(kept.taken(), "81 \n81 82 \n");
    // Nothing else lies in the folder.
    assert.deepEqual(readdirSync(kept.folder.path).sort(), ["out", "taken", "template"]);
  });

  test("that says the right thing already is left alone by the next who keeps it", async () => {
    using kept = keep();
    await kept.take([81], 1);
    const before = statSync(kept.folder.at("out"));
    assert.equal((await kept.open().take(directoryOf({ shop_web: [81] }, 7))).outcome, "unchanged");
    assert.equal(statSync(kept.folder.at("out")).ino, before.ino);
    assert.equal(kept.taken(), "81 \n");
  });

  test("is put right when somebody has changed it by hand", async () => {
    using kept = keep();
    await kept.take([81], 1);
    kept.folder.write("out", "mine");
    assert.equal((await kept.take([81], 1)).outcome, "written");
    assert.equal(kept.out(), "81 \n");
  });

  test("keeps its mode and its owner, and the link to it", async () => {
    using folder = new Folder();
    const file = folder.write("available", "old");
    symlinkSync(file, folder.at("enabled"));
    chmodSync(file, 0o640);
    const isRoot = process.getuid?.() === 0;
    if (isRoot) chownSync(file, 1234, 4321);
    const kept = new KeptFile({ template: folder.write("template", TEMPLATE), out: folder.at("enabled") });
    await kept.take(directoryOf({ shop_web: [81] }));
    const { mode, uid, gid } = statSync(file);
    assert.equal(mode & 0o7777, 0o640);
    if (isRoot) assert.deepEqual([uid, gid], [1234, 4321]);
    assert.equal(readFileSync(file, "utf8"), "81 \n");
    assert.ok(lstatSync(folder.at("enabled")).isSymbolicLink());
  });

  for (const [what, prepare] of [
    ["a directory", (folder: Folder) => mkdirSync(folder.at("out"))],
    ["a device", (folder: Folder) => symlinkSync("/dev/null", folder.at("out"))],
    ["a link to nothing", (folder: Folder) => symlinkSync("/nowhere/at/all", folder.at("out"))],
  ] as const) {
    test(`is not ${what}`, () => {
      using folder = new Folder();
      prepare(folder);
      const template = folder.write("template", TEMPLATE);
      assert.throws(() => new KeptFile({ template, out: folder.at("out") }), { code: "TEMPLATE_INVALID" });
    });
  }

  test("is refused where its directory or its template is not there", () => {
    using folder = new Folder();
    const template = folder.write("template", TEMPLATE);
    assert.throws(() => new KeptFile({ template, out: folder.at("no/out") }), { code: "TEMPLATE_INVALID" });
    assert.throws(() => new KeptFile({ template: folder.at("none"), out: folder.at("out") }), {
      code: "TEMPLATE_INVALID",
    });
  });
});

describe("a command that fails", () => {
  test("is said, and run again at the next change and not before, also of what the text does not show", async () => {
    using kept = keep((folder) => ({
      exec: `echo run >> ${folder.at("taken")}; test -e ${folder.at("well")}`,
    }));
    await assert.rejects(kept.take([81], 1), {
      code: "COMMAND_FAILED",
      message: /ended with status 1: it is run again at the next change$/,
    });
    assert.equal(kept.out(), "81 \n");
    assert.equal((await kept.take([81], 1)).outcome, "unchanged");
    assert.equal(kept.taken(), "run\n");
    kept.folder.write("well", "");
    assert.equal((await kept.take([81], 2)).outcome, "written");
    assert.equal((await kept.take([81], 3)).outcome, "unchanged");
    assert.equal(kept.taken(), "run\nrun\n");
  });

  test("is owed to a file also after a new start", async () => {
    using kept = keep((folder) => ({
      exec: `echo run >> ${folder.at("taken")}; test -e ${folder.at("well")}`,
    }));
    await assert.rejects(kept.take([81], 1));
    kept.folder.write("well", "");
    assert.equal((await kept.open().take(directoryOf({ shop_web: [81] }, 1))).outcome, "written");
    assert.equal((await kept.open().take(directoryOf({ shop_web: [81] }, 2))).outcome, "unchanged");
    assert.equal(kept.taken(), "run\nrun\n");
  });

  test("that does not end is ended, with what it has started", { timeout: 20_000 }, async () => {
    using folder = new Folder();
    const command = `sleep 1000 & echo $! > ${folder.at("pid")}; wait`;
    await assert.rejects(runShell(command, 300), {
      code: "COMMAND_FAILED",
      message: /not ended within 300ms$/,
    });
    const pid = Number(readFileSync(folder.at("pid"), "utf8"));
    while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
  });
});

describe("a check", () => {
  test("of the new text keeps the file that there is, until a text passes", async () => {
    using kept = keep(() => ({ check: "! grep -q 82 {}" }));
    await kept.take([81], 1);
    await assert.rejects(kept.take([81, 82], 2), {
      code: "COMMAND_FAILED",
      message: /^! grep -q 82 '.*' ended with status 1: .*out stays as it was$/,
    });
    assert.equal(kept.out(), "81 \n");
    assert.equal((await kept.take([81, 82], 2)).outcome, "unchanged");
    assert.equal((await kept.take([81, 83], 3)).outcome, "written");
    assert.equal(kept.taken(), "81 \n81 83 \n");
    assert.deepEqual(readdirSync(kept.folder.path).sort(), ["out", "taken", "template"]);
  });

  test("of a file in its place has the old one come back", async () => {
    using kept = keep((folder) => ({ check: `! grep -q 82 ${folder.at("out")}` }));
    await assert.rejects(kept.take([82], 1), { code: "COMMAND_FAILED" });
    assert.ok(!existsSync(kept.folder.at("out")));
    await kept.take([81], 2);
    await assert.rejects(kept.take([81, 82], 3), { code: "COMMAND_FAILED" });
    assert.equal(kept.out(), "81 \n");
    assert.equal(kept.taken(), "81 \n");
    assert.deepEqual(readdirSync(kept.folder.path).sort(), ["out", "taken", "template"]);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A child of nobody that waits to be reaped has ended.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
