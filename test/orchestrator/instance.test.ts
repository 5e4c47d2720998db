import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { isFlyballError } from "../../core/errors.ts";
import { Store } from "../../core/store.ts";
import { openInstance, readInstance } from "../../orchestrator/instance.ts";

function dataDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "flyball-instance-"));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

describe("the instance of a data directory", () => {
  test("is unknown before the first start, and the same ever after", (t) => {
    const directory = dataDirectory(t);
    using first = new Store(directory);
    assert.equal(readInstance(first), undefined);
    const made = openInstance(first, "process", false);
    assert.equal(made.engine, "process");
    first[Symbol.dispose]();
    using second = new Store(directory);
    assert.deepEqual(readInstance(second), made);
    assert.deepEqual(openInstance(second, "process", true), made);
  });

  test("is another one in every data directory", (t) => {
    using one = new Store(dataDirectory(t));
    using other = new Store(dataDirectory(t));
    assert.notEqual(openInstance(one, "docker", false).id, openInstance(other, "docker", false).id);
  });

  test("stays with its engine while it has projects, and says which one that is", (t) => {
    using store = new Store(dataDirectory(t));
    const made = openInstance(store, "docker", false);
    assert.throws(
      () => openInstance(store, "process", true),
      (error) =>
        isFlyballError(error) &&
        error.code === "CONFIG_INVALID" &&
        /expected the docker engine.+got process/.test(error.message),
    );
    assert.deepEqual(readInstance(store), made);
  });

  test("takes another engine when it has no project, and stays who it is", (t) => {
    using store = new Store(dataDirectory(t));
    const { id } = openInstance(store, "docker", false);
    assert.deepEqual(openInstance(store, "process", false), { id, engine: "process" });
    assert.deepEqual(readInstance(store), { id, engine: "process" });
  });
});
