import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { needed, recordNeed, remainingNeed, startNeedHistory } from "../../scaler/need-history.ts";

const START_MS = Date.UTC(2030, 0, 1);

const observed = fc.record({
  windowMs: fc.integer({ min: 1_000, max: 600_000 }),
  counts: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 80 }),
  /** From one look to the next, as a share of the window's part. */
  gaps: fc.array(fc.double({ min: 0.001, max: 1, noNaN: true }), { minLength: 1, maxLength: 20 }),
});

/** Looks at most a part of the window apart, with what the history says after each. */
function looksOf({ windowMs, counts, gaps }: { windowMs: number; counts: number[]; gaps: number[] }) {
  let history = startNeedHistory(START_MS, 1, windowMs);
  let atMs = START_MS;
  return counts.map((count, index) => {
    atMs += (windowMs / 5) * (gaps[index % gaps.length] ?? 1);
    history = recordNeed(history, atMs, count);
    return { atMs, count, says: needed(history), history };
  });
}

/** To keep clear of what rounding does at the very edge of a part. */
const EDGE_MS = 1e-3;

test("what was needed within the window is never forgotten", () => {
  fc.assert(
    fc.property(observed, (situation) => {
      const looks = looksOf(situation);
      for (const { atMs, says } of looks) {
        const within = looks.filter(
          (look) => look.atMs <= atMs && look.atMs > atMs - situation.windowMs + EDGE_MS,
        );
        const most = Math.max(...within.map(({ count }) => count));
        assert.ok(says >= most, `says ${says}, needed ${most}`);
      }
    }),
  );
});

test("what was needed before 1.2 windows is always forgotten", () => {
  fc.assert(
    fc.property(observed, (situation) => {
      const looks = looksOf(situation);
      for (const { atMs, says } of looks) {
        const within = looks.filter(
          (look) => look.atMs <= atMs && look.atMs > atMs - 1.2 * situation.windowMs - EDGE_MS,
        );
        const most = Math.max(1, ...within.map(({ count }) => count));
        assert.ok(says <= most, `says ${says}, needed ${most}`);
      }
    }),
  );
});

test("the time that is told until a need is forgotten is never too short and at most 1.2 windows", () => {
  fc.assert(
    fc.property(observed, fc.integer({ min: 1, max: 20 }), (situation, count) => {
      const { atMs, history } = looksOf(situation).at(-1) ?? assert.fail();
      const leftMs = remainingNeed(history, atMs, count);
      assert.ok(leftMs <= 1.2 * situation.windowMs + EDGE_MS);
      const stepMs = situation.windowMs / 5;
      let later = history;
      for (let passedMs = stepMs; passedMs < leftMs; passedMs += stepMs) {
        later = recordNeed(later, atMs + passedMs, 1);
      }
      assert.ok(needed(recordNeed(later, atMs + leftMs + EDGE_MS, 1)) <= count);
    }),
  );
});

test("a clock that jumps to and fro never makes a need outlast 1.2 windows of looking at less", () => {
  const jumps = fc.array(fc.integer({ min: -86_400_000, max: 86_400_000 }), { maxLength: 8 });
  fc.assert(
    fc.property(fc.integer({ min: 1_000, max: 600_000 }), jumps, (windowMs, jumpsMs) => {
      let atMs = START_MS;
      let history = startNeedHistory(atMs, 9, windowMs);
      for (const jumpMs of jumpsMs) {
        atMs += jumpMs;
        history = recordNeed(history, atMs, 9);
      }
      for (let passed = 0; passed <= 12; passed += 1) {
        history = recordNeed(history, atMs + passed * (windowMs / 10) + EDGE_MS, 1);
      }
      assert.equal(needed(history), 1);
    }),
  );
});
