import assert from "node:assert/strict";
import { test } from "node:test";
import { labDirectory } from "./paths.ts";

test("the lab's directory is refused where Unix sockets could not be opened in it", () => {
  assert.equal(labDirectory({ FLYBALL_LAB_DIR: `/${"x".repeat(59)}` }).length, 60);
  assert.throws(
    () => labDirectory({ FLYBALL_LAB_DIR: `/${"x".repeat(60)}` }),
    /at most 60 characters.*got 61/,
  );
  assert.throws(() => labDirectory({ FLYBALL_LAB_DIR: "lab" }), /absolute path, got "lab"/);
});
