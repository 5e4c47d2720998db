import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { mapConcurrent, oneAtATime } from "../../../../orchestrator/engines/docker/concurrent.ts";

test("never more at once than the limit, and the results stand in the order of the items", async () => {
  let running = 0;
  let most = 0;
  const results = await mapConcurrent([5, 1, 4, 2, 3, 0], 3, async (turns) => {
    running += 1;
    most = Math.max(most, running);
    for (let turn = 0; turn < turns; turn += 1) await setImmediate();
    running -= 1;
    return turns * 10;
  });
  assert.deepEqual(results, [50, 10, 40, 20, 30, 0]);
  assert.equal(most, 3);
  assert.deepEqual(await mapConcurrent([], 3, async () => 1), []);
});

test("the first error ends it", async () => {
  await assert.rejects(
    mapConcurrent([1, 2], 1, async (item) => {
      throw new Error(`no ${item}`);
    }),
    /no 1/u,
  );
});

test("one at a time, also after one that failed", async () => {
  const inTurn = oneAtATime();
  const seen: string[] = [];
  const work = (name: string, fails: boolean) => async () => {
    seen.push(`${name} begins`);
    await setImmediate();
    seen.push(`${name} ends`);
    if (fails) throw new Error(name);
  };
  const settled = await Promise.allSettled([inTurn(work("a", true)), inTurn(work("b", false))]);
  assert.deepEqual(seen, ["a begins", "a ends", "b begins", "b ends"]);
  assert.deepEqual(
    settled.map(({ status }) => status),
    ["rejected", "fulfilled"],
  );
});
