import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Decision, ScalingPolicy } from "../../core/types.ts";
import { Governor } from "../../scaler/governor.ts";
import { NOW_MS, SERVICE, targetOf } from "./builders.ts";
import { ClosedLoop, shareOf } from "./closed-loop.ts";
import { FaultyService } from "./faulty-service.ts";

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

  test("does not take replicas that can be read again one by one for a load that rises", () => {
    const service = new FaultyService({ policy: LEARNING, replicas: 4, demand: 2.6 });
    for (let second = 0; second < 120; second += 1) service.step();
    for (const silent of [
      "all",
      new Set([2, 3, 4]),
      new Set([3, 4]),
      new Set([4]),
      new Set<number>(),
    ] as const) {
      service.silent = silent;
      for (let second = 0; second < 12; second += 1) {
        const { to, verdicts } = service.step();
        assert.deepEqual([to, verdicts[0]?.risingTo], [4, undefined]);
      }
    }
  });

  test("does not take more replicas with the same latency for a latency that rises", () => {
    const policy = targetOf({ rules: [{ metric: "latency", max: 200 }] });
    const governor = new Governor(policy);
    for (let second = 0; second < 120; second += 1) {
      const serving = 2 + Math.floor(second / 10);
      const sum = 190 * serving;
      const { output } = governor.evaluate(
        {
          nowMs: NOW_MS + second * 1_000,
          service: SERVICE,
          desired: serving,
          serving,
          observations: [{ read: serving, sum, burstSum: sum, cautiousSum: sum, ageMs: 0 }],
          single: false,
        },
        10_000,
      );
      governor.commit(output);
      assert.equal(output.evaluation.verdicts[0]?.risingTo, undefined);
    }
  });
});
