import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { flyball } from "./flyball.ts";

const COMMITTED = join(import.meta.dirname, "../../dashboards/grafana");

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "flyball-dashboards-"));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe("flyball dashboards", () => {
  test("writes the boards as they are committed, and says where", () =>
    inFolder(async (folder) => {
      const output = join(folder, "deep", "er");
      const { status, printed } = await flyball(["dashboards", "--output", output]);
      assert.equal(status, 0);
      assert.match(printed, /deep\/er\/grafana: boards/);
      assert.deepEqual(readdirSync(output), ["grafana", "provisioning", "rules"]);
      const names = readdirSync(COMMITTED);
      assert.deepEqual(readdirSync(join(output, "grafana")), names);
      for (const name of names) {
        const written = readFileSync(join(output, "grafana", name), "utf8");
        assert.equal(written, readFileSync(join(COMMITTED, name), "utf8"));
      }
    }));

  test("says it when it cannot write there", () =>
    inFolder(async (folder) => {
      const file = join(folder, "taken");
      writeFileSync(file, "");
      const { status, noted } = await flyball(["dashboards", "--output", file]);
      assert.notEqual(status, 0);
      assert.match(noted, /taken\/grafana cannot be written: /);
      assert.equal(readFileSync(file, "utf8"), "");
    }));
});
