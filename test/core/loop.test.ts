import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import type { Clock } from "../../core/clock.ts";
import { Loop } from "../../core/loop.ts";

const INTERVAL_MS = 1_000;
const MAX_BACKOFF_MS = 5_000;

/** A loop whose time only moves when it is told to, and what it did. */
function bench(t: TestContext, pass: (signal: AbortSignal) => Promise<void> = async () => {}) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let nowMs = 0;
  const clock: Clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };
  const startedAtMs: number[] = [];
  const errors: unknown[] = [];
  const loop = new Loop({
    intervalMs: INTERVAL_MS,
    maxBackoffMs: MAX_BACKOFF_MS,
    clock,
    pass: (signal) => {
      startedAtMs.push(nowMs);
      return pass(signal);
    },
    onError: (error) => errors.push(error),
  });
  // Not waited for: a loop that cannot be stopped should fail its test and not hold up the others.
  t.after(() => {
    void loop.stop();
  });
  return {
    loop,
    startedAtMs,
    errors,
    async advance(byMs: number): Promise<void> {
      nowMs += byMs;
      t.mock.timers.tick(byMs);
      await settled();
    },
  };
}

/** Lets everything run that waits for nothing but its turn. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** A pass that ends when the test says so. */
function heldPass() {
  const held: PromiseWithResolvers<void>[] = [];
  return {
    pass: () => {
      const one = Promise.withResolvers<void>();
      held.push(one);
      return one.promise;
    },
    release: async () => {
      held.shift()?.resolve();
      await settled();
    },
  };
}

describe("a loop", () => {
  test("passes at once when it is started, then once an interval", async (t) => {
    const { loop, startedAtMs, advance } = bench(t);
    loop.start();
    await settled();
    assert.deepEqual(startedAtMs, [0]);
    await advance(INTERVAL_MS - 1);
    assert.deepEqual(startedAtMs, [0]);
    await advance(1);
    await advance(INTERVAL_MS);
    assert.deepEqual(startedAtMs, [0, 1_000, 2_000]);
  });

  test("counts the interval from the start of a pass, and goes on at once after a long one", async (t) => {
    const held = heldPass();
    const { loop, startedAtMs, advance } = bench(t, held.pass);
    loop.start();
    await advance(400);
    await held.release();
    await advance(599);
    assert.deepEqual(startedAtMs, [0]);
    await advance(1);
    assert.deepEqual(startedAtMs, [0, 1_000]);
    await advance(2_500);
    await held.release();
    assert.deepEqual(startedAtMs, [0, 1_000, 3_500]);
    await held.release();
    await held.release();
  });

  test("never runs two passes at once", async (t) => {
    let running = 0;
    let most = 0;
    const { loop, advance } = bench(t, async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
    });
    loop.start();
    for (let round = 0; round < 20; round++) {
      loop.nudge();
      loop.start();
      await advance(round * 100);
    }
    assert.equal(most, 1);
  });

  test("that is started twice is one loop", async (t) => {
    const { loop, startedAtMs, advance } = bench(t);
    loop.start();
    loop.start();
    await settled();
    await advance(INTERVAL_MS);
    assert.deepEqual(startedAtMs, [0, 1_000]);
  });
});

describe("a nudge", () => {
  test("while the loop waits brings the next pass forward, and the interval counts from there", async (t) => {
    const { loop, startedAtMs, advance } = bench(t);
    loop.start();
    await advance(300);
    loop.nudge();
    await settled();
    assert.deepEqual(startedAtMs, [0, 300]);
    await advance(999);
    assert.deepEqual(startedAtMs, [0, 300]);
    await advance(1);
    assert.deepEqual(startedAtMs, [0, 300, 1_300]);
  });

  test("during a pass leads to exactly one more, however many there were", async (t) => {
    const held = heldPass();
    const { loop, startedAtMs } = bench(t, held.pass);
    loop.start();
    await settled();
    for (let count = 0; count < 5; count++) loop.nudge();
    await settled();
    assert.equal(startedAtMs.length, 1);
    await held.release();
    assert.equal(startedAtMs.length, 2);
    await held.release();
    assert.equal(startedAtMs.length, 2);
  });

  test("before the start changes nothing", async (t) => {
    const { loop, startedAtMs } = bench(t);
    loop.nudge();
    await settled();
    assert.equal(startedAtMs.length, 0);
    loop.start();
    await settled();
    assert.equal(startedAtMs.length, 1);
  });

  test("does not shorten the pause after a failure", async (t) => {
    const { loop, startedAtMs, advance } = bench(t, () => Promise.reject(new Error("down")));
    loop.start();
    await settled();
    loop.nudge();
    await advance(1_999);
    loop.nudge();
    await settled();
    assert.deepEqual(startedAtMs, [0]);
    await advance(1);
    assert.deepEqual(startedAtMs, [0, 2_000]);
  });
});

describe("a pass that throws", () => {
  test("is reported, and the pause doubles up to its limit until a pass succeeds", async (t) => {
    let failing = true;
    const { loop, startedAtMs, errors, advance } = bench(t, async () => {
      if (failing) throw new Error("down");
    });
    loop.start();
    await settled();
    for (let second = 0; second < 16; second++) await advance(1_000);
    assert.deepEqual(startedAtMs, [0, 2_000, 6_000, 11_000, 16_000]);
    assert.equal(errors.length, 5);
    failing = false;
    for (let second = 0; second < 7; second++) await advance(1_000);
    assert.deepEqual(startedAtMs.slice(5), [21_000, 22_000, 23_000]);
    assert.equal(errors.length, 5);
  });

  test("before it returns a promise is an error like any other", async (t) => {
    const { loop, errors } = bench(t, () => {
      throw new TypeError("at once");
    });
    loop.start();
    await settled();
    assert.match(String(errors[0]), /at once/);
  });
});

describe("stopping", () => {
  test("ends the wait", async (t) => {
    const { loop, startedAtMs, advance } = bench(t);
    loop.start();
    await settled();
    await loop.stop();
    loop.nudge();
    await advance(10 * INTERVAL_MS);
    assert.deepEqual(startedAtMs, [0]);
  });

  test("ends the pause after a failure", async (t) => {
    const { loop, startedAtMs, errors } = bench(t, () => Promise.reject(new Error("down")));
    loop.start();
    await settled();
    await loop.stop();
    assert.equal(startedAtMs.length, 1);
    assert.equal(errors.length, 1);
  });

  test("aborts the pass that runs and waits for its end", async (t) => {
    const steps: string[] = [];
    const { loop, startedAtMs, errors } = bench(t, async (signal) => {
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      steps.push("aborted");
      await new Promise((resolve) => setImmediate(resolve));
      steps.push("cleaned up");
      signal.throwIfAborted();
    });
    loop.start();
    loop.nudge();
    await settled();
    await loop.stop();
    steps.push("stopped");
    assert.deepEqual(steps, ["aborted", "cleaned up", "stopped"]);
    assert.equal(startedAtMs.length, 1);
    assert.deepEqual(errors, []);
  });

  test("twice, or before the start, is stopping", async (t) => {
    const { loop } = bench(t);
    await loop.stop();
    loop.start();
    await settled();
    await Promise.all([loop.stop(), loop.stop()]);
    await loop.stop();
  });

  test("leaves a loop that can be started again", async (t) => {
    const { loop, startedAtMs, advance } = bench(t);
    loop.start();
    await settled();
    await loop.stop();
    loop.start();
    await settled();
    await advance(INTERVAL_MS);
    assert.deepEqual(startedAtMs, [0, 0, 1_000]);
  });

  test("before the start, and not waited for, does not lose the loop that is started then", async (t) => {
    const { loop, startedAtMs } = bench(t);
    const stoppedBefore = loop.stop();
    loop.start();
    await stoppedBefore;
    await settled();
    assert.equal(startedAtMs.length, 1);
    let stopped = false;
    void loop.stop().then(() => {
      stopped = true;
    });
    await settled();
    assert.ok(stopped, "the loop still runs");
  });

  test("leaves no timer that would keep the process alive", async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    const before = timers();
    const clock: Clock = { nowMs: () => 0, monotonicMs: () => 0 };
    const loop = new Loop({
      intervalMs: 60_000,
      maxBackoffMs: 60_000,
      clock,
      pass: async () => {},
      onError: () => {},
    });
    loop.start();
    await settled();
    assert.equal(timers(), before + 1);
    await loop.stop();
    assert.equal(timers(), before);
  });

  test("happens at the end of the block that holds it", async (t) => {
    const { loop, startedAtMs, advance } = bench(t);
    {
      await using held = loop;
      held.start();
      await settled();
    }
    await advance(5 * INTERVAL_MS);
    assert.equal(startedAtMs.length, 1);
  });
});
