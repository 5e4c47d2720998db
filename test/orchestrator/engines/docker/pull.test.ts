import assert from "node:assert/strict";
import { test } from "node:test";
import { splitReference } from "../../../../orchestrator/engines/docker/pull.ts";

test("a reference without a tag means the latest, never all of them", () => {
  for (const [reference, image, tag] of [
    ["redis", "redis", "latest"],
    ["redis:7", "redis", "7"],
    ["localhost:5000/shop/web", "localhost:5000/shop/web", "latest"],
    ["localhost:5000/shop/web:1.4", "localhost:5000/shop/web", "1.4"],
    ["redis@sha256:abc", "redis", "sha256:abc"],
    ["localhost:5000/redis:7@sha256:abc", "localhost:5000/redis:7", "sha256:abc"],
  ] as const) {
    assert.deepEqual(splitReference(reference), { image, tag }, reference);
  }
});
