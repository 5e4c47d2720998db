import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Pace } from "../../orchestrator/pace.ts";

/** A pace whose clock stands still unless a test moves it. */
function paced(spacingMs: number) {
  const seen = { nowMs: 1_000, looks: 0 };
  const clock = { nowMs: () => seen.nowMs, monotonicMs: () => seen.nowMs };
  const look = () => {
    seen.looks += 1;
  };
  return { seen, pace: new Pace({ clock, spacingMs, look }) };
}

describe("looks that can wait", () => {
  test("the first one does not, nor one that is asked for long after the last", () => {
    const { seen, pace } = paced(60_000);
    pace.soon();
    assert.equal(seen.looks, 1);
    pace.looked();
    seen.nowMs += 60_000;
    pace.soon();
    assert.equal(seen.looks, 2);
  });

  test("many that are asked for soon after the last are one, after a while", async () => {
    const { seen, pace } = paced(30);
    pace.looked();
    for (let reason = 0; reason < 100; reason += 1) pace.soon();
    assert.equal(seen.looks, 0);
    while (seen.looks === 0) await sleep(5);
    await sleep(60);
    assert.equal(seen.looks, 1);
  });

  test("none comes once it is over", async () => {
    const { seen, pace } = paced(20);
    pace.looked();
    pace.soon();
    pace[Symbol.dispose]();
    await sleep(60);
    assert.equal(seen.looks, 0);
  });
});
