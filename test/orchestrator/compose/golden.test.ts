import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CASES, expected, load } from "./fixtures.ts";

describe("a project loads as docker compose config prints it", () => {
  for (const name of CASES) {
    test(name, async () => {
      assert.deepEqual(await load(name), expected(name));
    });
  }
});
