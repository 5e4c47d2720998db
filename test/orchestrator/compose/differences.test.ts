import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DIFFERENCES } from "./differences.ts";
import { loadFiles } from "./inline.ts";

describe("what Flyball reads otherwise than docker compose, on purpose", () => {
  for (const { title, example, files, flyball } of DIFFERENCES) {
    test(title, async () => {
      const outcome = await loadFiles(
        { ...files, "compose.yaml": example },
        { environment: { HOME: "/home/someone" } },
      );
      assert.equal("loaded" in outcome, flyball !== "refuses", JSON.stringify(outcome));
    });
  }
});
