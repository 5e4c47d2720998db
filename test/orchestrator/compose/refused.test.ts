import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { problemsOf } from "./inline.ts";
import { REFUSED } from "./refused.ts";

describe("a file that docker compose refuses is refused with the place and what was expected", () => {
  for (const { name, compose, problems } of REFUSED) {
    test(name, async () => {
      assert.deepEqual(await problemsOf(compose), problems);
    });
  }
});
