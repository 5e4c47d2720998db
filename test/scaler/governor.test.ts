import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Decision, ScalingPolicy } from "../../core/types.ts";
import { targetOf } from "./builders.ts";
import { ClosedLoop, shareOf } from "./closed-loop.ts";

const MINUTE = 60;
/** What labels without a word about it mean: how long calm must last is learned. */
const { stabilizationMs: _, ...LEARNING } = targetOf();

/** The changes of the count in so many seconds under a demand in replicas' worth of work. */
function changesUnder(
  demandAt: (second: number) => number,
  seconds: number,
  policy: ScalingPolicy = LEARNING,
): { second: number; decision: Decision }[] {
  const loop = new ClosedLoop({
    policy,
    replicas: 1,
    startupMs: 5_000,
    read: (second, _slot, serving) => ({ cpu: shareOf(demandAt(second), serving) }),
  });
  const changes: { second: number; decision: Decision }[] = [];
  for (let second = 1; second <= seconds; second += 1) {
    const decision = loop.step();
    if (decision.to !== decision.from) changes.push({ second, decision });
  }
  return changes;
}

describe("a governor", () => {
  test("waits for five minutes of calm with a service that it does not know yet", () => {
    const changes = changesUnder((second) => (second <= 120 ? 2.1 : 0.4), 9 * MINUTE);
    const last = changes.at(-1);
    assert.equal(last?.decision.to, 1);
    const waited = (last?.second ?? 0) - 120;
    assert.ok(waited >= 300 && waited <= 375, `scaled in after ${waited} s`);
  });

  test("waits for half a minute after a peak of a kind that it knows to be rare", () => {
    const peakEnds = 42 * MINUTE;
    const changes = changesUnder(
      (second) => (second > 40 * MINUTE && second <= peakEnds ? 2.1 : 0.4),
      peakEnds + 5 * MINUTE,
    );
    const last = changes.at(-1);
    assert.equal(last?.decision.to, 1);
    const waited = (last?.second ?? 0) - peakEnds;
    assert.ok(waited >= 30 && waited <= 60, `scaled in after ${waited} s`);
  });

  test("keeps what comes back every few minutes, and lets it go when it comes no more", () => {
    const untilSecond = 2 * 60 * MINUTE;
    const changes = changesUnder(
      (second) => {
        if (second > untilSecond) return 0.4;
        return second % (5 * MINUTE) < MINUTE ? 2.1 : 0.4;
      },
      untilSecond + 60 * MINUTE,
    );
    const during = changes.filter(({ second }) => second > 20 * MINUTE && second <= untilSecond);
    assert.deepEqual(
      during.map(({ second, decision }) => `${second}: ${decision.sentence}`),
      [],
    );
    assert.equal(changes.at(-1)?.decision.to, 1);
    assert.ok((changes.at(-1)?.second ?? 0) > untilSecond);
  });
});
