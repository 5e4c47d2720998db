import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { createLog } from "../../../core/log.ts";
import { Work } from "../../../orchestrator/jobs/work.ts";

function workOf(onEnd: (work: Work) => void = () => undefined) {
  const clock = { nowMs: 0 };
  const work: Work = new Work({
    monotonicMs: () => clock.nowMs,
    log: createLog("silent"),
    onEnd: () => onEnd(work),
  });
  return { work, clock };
}

describe("work on tasks", () => {
  test("that is asked for again by what was seen before it is done once", async () => {
    let times = 0;
    const remove = async () => {
      times += 1;
    };
    // What is seen stays the same until the engine is looked at again.
    const { work } = workOf((again) => again.begin("remove a", remove));
    work.begin("remove a", remove);
    await turn();
    assert.equal(times, 1);
    assert.equal(work.isUnsettled("remove a"), true);
    work.looked();
    assert.equal(work.isUnsettled("remove a"), true, "the look may have begun before");
    work.looked();
    assert.equal(work.isUnsettled("remove a"), false);
    await work[Symbol.asyncDispose]();
  });

  test("that fails is tried again after pauses that grow", async () => {
    let times = 0;
    const fail = async () => {
      times += 1;
      throw new Error("the engine is away");
    };
    const { work, clock } = workOf();
    const tried: number[] = [];
    for (let second = 0; second < 20; second += 1) {
      clock.nowMs = second * 1_000;
      const before = times;
      work.begin("launch a", fail);
      await turn();
      if (times > before) tried.push(second);
      work.looked();
      work.looked();
    }
    assert.deepEqual(tried, [0, 1, 3, 7, 15]);
    await work[Symbol.asyncDispose]();
  });
});
