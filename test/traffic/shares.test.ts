import assert from "node:assert/strict";
import { test } from "node:test";
import { withShares } from "../../traffic/shares.ts";
import { replica } from "../orchestrator/builders.ts";

const old = (slot: number) => replica("web", slot, "running", { templateHash: "old" });
const fresh = (slot: number) => replica("web", slot, "running", { templateHash: "new" });

function weights(replicas: readonly ReturnType<typeof old>[], share: number) {
  const servers = replicas.map(({ id }) => ({ replica: id, weight: 100 }));
  const shares = new Map([
    ["new", share],
    ["old", 1 - share],
  ]);
  return withShares(servers, replicas, shares).map(({ replica: id, weight }) => [id, weight]);
}

test("each template gets its share of the requests, whatever the numbers of replicas", () => {
  assert.deepEqual(weights([old(1), old(2), fresh(3)], 0.2), [
    ["web-1", 100],
    ["web-2", 100],
    ["web-3", 50],
  ]);
  assert.deepEqual(weights([old(1), fresh(2), fresh(3)], 0.5), [
    ["web-1", 100],
    ["web-2", 50],
    ["web-3", 50],
  ]);
});

test("a template without a share gets nothing while others serve, and everything when nobody else does", () => {
  assert.deepEqual(weights([old(1), fresh(2)], 0), [["web-1", 100]]);
  assert.deepEqual(weights([fresh(2)], 0), [["web-2", 100]]);
  assert.deepEqual(weights([old(1)], 0.2), [["web-1", 100]]);
});
