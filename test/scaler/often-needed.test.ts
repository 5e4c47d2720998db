import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../../core/units.ts";
import { NeedStatistician } from "../../scaler/often-needed.ts";
import { alike, CALM, evaluate, limitNames, NOW_MS, policyOf, targetOf } from "./builders.ts";

const STARTUP_MS = 10 * SECOND_MS;

/** What was needed, for how long; `undefined`: nobody looked. */
type Phase = readonly [needed: number | undefined, forMs: number];

class Watch {
  readonly statistician: NeedStatistician;
  readonly #everyMs: number;
  nowMs = NOW_MS;

  constructor({ maxReplicas = 10, everyMs = SECOND_MS } = {}) {
    this.statistician = new NeedStatistician(maxReplicas);
    this.#everyMs = everyMs;
  }

  see(...phases: readonly Phase[]): this {
    for (const [needed, forMs] of phases) {
      for (let passedMs = this.#everyMs; passedMs <= forMs; passedMs += this.#everyMs) {
        this.nowMs += this.#everyMs;
        if (needed !== undefined) this.statistician.record(this.nowMs, needed);
      }
    }
    return this;
  }

  /** The phases over and over for at least so long. */
  seeFor(totalMs: number, ...phases: readonly Phase[]): this {
    const untilMs = this.nowMs + totalMs;
    while (this.nowMs < untilMs) this.see(...phases);
    return this;
  }
}

const often = (watch: Watch, startupMs = STARTUP_MS) => watch.statistician.oftenNeeded(startupMs);

function assertNear(actual: number | undefined, expected: number, share: number): void {
  const error = Math.abs((actual ?? Number.NaN) / expected - 1);
  assert.ok(error <= share, `expected about ${expected}, got ${actual}`);
}

describe("what is often needed", () => {
  test("is not known in the first ten minutes", () => {
    const watch = new Watch().see([3, 10 * MINUTE_MS]);
    assert.equal(often(watch), undefined);
    assert.notEqual(often(watch.see([3, SECOND_MS])), undefined);
  });

  test("is what is needed all the time", () => {
    assert.deepEqual(often(new Watch().see([4, HOUR_MS])), { replicas: 4, gapMs: 0 });
  });

  test("is what is needed again before it is worth to take it away", () => {
    const eleven = often(new Watch().seeFor(2 * HOUR_MS, [1, 11 * MINUTE_MS], [3, MINUTE_MS]));
    assert.equal(eleven?.replicas, 3);
    assertNear(eleven?.gapMs, 11 * MINUTE_MS, 0.03);
    const seventeen = often(new Watch().seeFor(2 * HOUR_MS, [1, 17 * MINUTE_MS], [3, MINUTE_MS]));
    assert.deepEqual(seventeen, { replicas: 1, gapMs: 0 });
  });

  test("is more for a service that starts slowly", () => {
    const watch = new Watch().seeFor(2 * HOUR_MS, [1, 17 * MINUTE_MS], [3, MINUTE_MS]);
    assert.equal(often(watch, MINUTE_MS)?.replicas, 3);
  });

  test("is told of each replica: those that only rare peaks need are left out", () => {
    const few = often(
      new Watch().seeFor(3 * HOUR_MS, [1, 8 * MINUTE_MS], [5, MINUTE_MS], [1, 8 * MINUTE_MS], [3, MINUTE_MS]),
    );
    // The fifth is needed after 17 minutes; the third, also as one of five, after each eight.
    assert.equal(few?.replicas, 3);
    assertNear(few?.gapMs, 8 * MINUTE_MS, 0.03);
  });

  test("is no longer what was needed often until an hour ago", () => {
    const watch = new Watch().seeFor(2 * HOUR_MS, [1, 9 * MINUTE_MS], [3, MINUTE_MS]);
    assert.equal(often(watch.see([1, HOUR_MS]))?.replicas, 1);
  });

  test("is not made calmer by time that nobody looked at", () => {
    const watch = new Watch();
    for (let cycle = 0; cycle < 12; cycle += 1) {
      watch.see([undefined, 50 * MINUTE_MS], [1, 4 * MINUTE_MS], [3, MINUTE_MS]);
    }
    const found = often(watch);
    assert.equal(found?.replicas, 3);
    assertNear(found?.gapMs, 4 * MINUTE_MS, 0.05);
  });

  test("is not made calmer by evaluations that knew nothing", () => {
    const watch = new Watch();
    for (let cycle = 0; cycle < 12; cycle += 1) {
      watch.see([1, 4 * MINUTE_MS], [3, MINUTE_MS]);
      for (let second = 0; second < 3_000; second += 1) {
        watch.nowMs += SECOND_MS;
        watch.statistician.record(watch.nowMs, undefined);
      }
    }
    watch.see([1, 4 * MINUTE_MS], [3, MINUTE_MS]);
    assertNear(often(watch)?.gapMs, 4 * MINUTE_MS, 0.05);
  });

  test("is not made of a clock that jumps", () => {
    const watch = new Watch().seeFor(2 * HOUR_MS, [1, 9 * MINUTE_MS], [3, MINUTE_MS]);
    const before = often(watch);
    for (const jumpMs of [DAY_MS, -DAY_MS, HOUR_MS, -HOUR_MS]) {
      watch.nowMs += jumpMs;
      watch.see([1, 9 * MINUTE_MS], [3, MINUTE_MS]);
    }
    assert.equal(often(watch)?.replicas, before?.replicas);
    assertNear(often(watch)?.gapMs, before?.gapMs ?? 0, 0.05);
  });

  test("comes out the same after months as after days", () => {
    const everyMs = 30 * SECOND_MS;
    const cycle: readonly Phase[] = [
      [1, 8 * MINUTE_MS],
      [3, MINUTE_MS],
    ];
    const days = often(new Watch({ everyMs }).seeFor(4 * DAY_MS, ...cycle));
    const months = often(new Watch({ everyMs }).seeFor(90 * DAY_MS, ...cycle));
    assert.equal(months?.replicas, 3);
    assert.equal(months?.replicas, days?.replicas);
    assertNear(months?.gapMs, days?.gapMs ?? 0, 0.001);
  });

  test("of a service of hundreds is learned in groups, and never told too low", () => {
    const watch = new Watch({ maxReplicas: 128 }).see([7, HOUR_MS]);
    assert.equal(often(watch)?.replicas, 8);
    assert.equal(often(new Watch({ maxReplicas: 64 }).see([7, HOUR_MS]))?.replicas, 7);
  });
});

describe("a scale-in", () => {
  const LEARNED = { need: { ...CALM.need, windowMs: 30_000 } };
  const { stabilizationMs: _, ...policy } = targetOf();
  const serving = alike(6, 0.05);

  test("leaves what is often needed, and says how often", () => {
    const evaluation = evaluate({
      serving,
      policy,
      memory: LEARNED,
      oftenNeeded: { replicas: 4, gapMs: 90_000 },
    });
    assert.deepEqual(
      [evaluation.to, evaluation.limits],
      [4, [{ limit: "often needed", from: 1, to: 4, gapMs: 90_000 }]],
    );
  });

  test("is no scale-out where more is often needed than there is", () => {
    const often = { replicas: 9, gapMs: 90_000 };
    assert.equal(evaluate({ serving, policy, memory: LEARNED, oftenNeeded: often }).to, 6);
    assert.equal(evaluate({ serving: alike(6, 0.7), policy, memory: LEARNED, oftenNeeded: often }).to, 6);
  });

  test("with a stabilization window of its own asks for nothing else", () => {
    const evaluation = evaluate({
      serving,
      policy: policyOf({ step: 5 }),
      memory: CALM,
      oftenNeeded: { replicas: 4, gapMs: 90_000 },
    });
    assert.equal(evaluation.to, 1);
  });

  test("must have been wanted for five minutes until that is learned, for half a minute from then on", () => {
    const first = evaluate({ serving, policy });
    assert.deepEqual([limitNames(first), first.limits[0]?.remainingMs], [["stabilization"], 360_000]);
    const learned = evaluate({ serving, policy, oftenNeeded: { replicas: 1, gapMs: 0 } });
    assert.deepEqual([limitNames(learned), learned.limits[0]?.remainingMs], [["stabilization"], 36_000]);
  });
});
