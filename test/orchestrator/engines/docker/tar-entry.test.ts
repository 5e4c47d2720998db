import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { renameTarEntry } from "../../../../orchestrator/engines/docker/tar-entry.ts";

describe("a tar of one file under another path", () => {
  let directory = "";
  before(() => {
    directory = mkdtempSync(join(tmpdir(), "fbtar-"));
    writeFileSync(join(directory, "text"), "be kind", { mode: 0o640 });
  });
  after(() => rmSync(directory, { recursive: true }));

  const packed = (name: string) => execFileSync("tar", ["-C", directory, "--format=ustar", "-cf", "-", name]);

  for (const path of ["/run/secrets/token", `/${"deep/".repeat(20)}${"x".repeat(90)}`]) {
    test(`is read by tar itself: ${path.length} bytes`, () => {
      const renamed = renameTarEntry(packed("text"), path, Date.parse("2026-01-02T03:04:05Z"));
      assert.ok(renamed);
      const listed = execFileSync("tar", ["-tvf", "-"], {
        input: renamed,
        env: { TZ: "UTC" },
        encoding: "utf8",
      });
      assert.ok(listed.startsWith("-rw-r-----"), listed);
      assert.ok(listed.includes(`2026-01-02 03:04 ${path.slice(1)}`), listed);
      assert.equal(execFileSync("tar", ["-xOf", "-"], { input: renamed, encoding: "utf8" }), "be kind");
    });
  }

  test("is refused for what is no plain file, and for a path that the format cannot hold", () => {
    assert.equal(renameTarEntry(packed("."), "/x", 0), undefined);
    assert.equal(renameTarEntry(packed("text"), `/${"x".repeat(101)}`, 0), undefined);
    assert.equal(renameTarEntry(Buffer.alloc(0), "/x", 0), undefined);
  });
});
