import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { supportTable } from "../../../orchestrator/compose/support.ts";
import { loadText, problemsOf } from "./inline.ts";

const rows = supportTable();

describe("the table of compose keys", () => {
  test("names every key once, at any depth", () => {
    const paths = rows.map(({ path }) => path);
    assert.equal(new Set(paths).size, paths.length);
    for (const path of [
      "services.*.deploy.resources.limits.cpus",
      "networks.*.ipam.config[].subnet",
      "include[].path",
    ]) {
      assert.ok(paths.includes(path), path);
    }
  });

  test("says why, wherever a key is not acted upon", () => {
    for (const { path, level, reason } of rows)
      assert.equal(level !== "supported", reason !== undefined, path);
  });

  test("what it calls refused is refused, and what it calls warned about is warned about", async () => {
    const keys = rows.filter(({ path }) => /^services\.\*\.\w+$/u.test(path));
    for (const { path, level, reason = "" } of keys.filter((row) => row.level === "refused")) {
      const key = path.split(".").at(-1);
      const [problem] = await problemsOf(`services: {web: {image: a, ${key}: x}}`);
      assert.ok(problem?.includes(`"${key}" is not supported: ${reason}`), `${level}: ${problem}`);
    }
    const { diagnostics } = await loadText(`
services:
  web: {image: a, attach: true, build: ., cpu_count: 1, cpu_percent: 1, develop: {}, external_links: [x], links: [db], post_start: [], pre_stop: []}
  db: {image: b}
`);
    const warned = keys.filter((row) => row.level === "warned").map(({ path }) => path.replace("*", "web"));
    assert.deepEqual(
      diagnostics.map(({ path }) => path),
      warned,
    );
  });
});
