import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  answerClock,
  bestClockOffset,
  type ClockOffset,
  clockOffset,
  isClockAnswer,
  withClockOffset,
} from "../../collector/clock-offset.ts";

/** A question on its way for so long, to a node whose clock is ahead by so much. */
function measured(aheadMs: number, thereMs: number, backMs: number): ClockOffset {
  const question = { type: "clock", askedAtMs: 1_000_000 } as const;
  const answer = answerClock(question, question.askedAtMs + thereMs + aheadMs);
  assert.ok(isClockAnswer(answer));
  const offset = clockOffset(answer, question.askedAtMs + thereMs + backMs);
  assert.ok(offset !== undefined);
  return offset;
}

describe("how far the node's clock is from the daemon's", () => {
  test("is right to within half the way there and back", () => {
    assert.deepEqual(measured(5_000, 10, 10), { offsetMs: 5_000, roundTripMs: 20 });
    for (const [there, back] of [
      [0, 100],
      [100, 0],
      [30, 70],
    ] as const) {
      const { offsetMs, roundTripMs } = measured(-700, there, back);
      assert.ok(Math.abs(offsetMs + 700) <= roundTripMs / 2);
    }
  });

  test("is taken from the quickest answer of the last ones", () => {
    let known: readonly ClockOffset[] = [];
    assert.equal(bestClockOffset(known), undefined);
    for (const backMs of [400, 2, 300, 200]) known = withClockOffset(known, measured(50, 0, backMs));
    assert.equal(bestClockOffset(known)?.roundTripMs, 2);
    for (let later = 0; later < 20; later += 1) known = withClockOffset(known, measured(80, 0, 10));
    assert.equal(bestClockOffset(known)?.offsetMs, 75);
  });

  test("is not known from an answer that came before it was asked for: the daemon's own clock was set", () => {
    assert.equal(clockOffset({ type: "clock", askedAtMs: 5_000, nodeAtMs: 5_000 }, 4_000), undefined);
    assert.ok(!isClockAnswer({ type: "clock", askedAtMs: "now", nodeAtMs: 1 }));
    assert.ok(!isClockAnswer({ type: "clock", askedAtMs: 1 }));
  });
});
