import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Ring } from "../../collector/ring.ts";

const CAPACITY = 300;

interface Reading {
  readonly atMs: number;
  readonly value: number | undefined;
}

/** What a ring promises to hold, as a plain list. */
function heldAfter(held: readonly Reading[], reading: Reading): Reading[] {
  return [...held.filter(({ atMs }) => atMs < reading.atMs), reading].slice(-CAPACITY);
}

const readings = fc
  .array(
    fc.record({
      // Mostly on, at times back: a wall clock.
      stepMs: fc.oneof(
        { weight: 30, arbitrary: fc.integer({ min: 1, max: 3_000 }) },
        fc.integer({ min: -400_000, max: 0 }),
      ),
      value: fc.option(fc.integer({ min: 0, max: 1_000 }), { nil: undefined }),
    }),
    { maxLength: 900, size: "max" },
  )
  .map((steps) => {
    let atMs = 1_000_000;
    return steps.map(({ stepMs, value }): Reading => {
      atMs += stepMs;
      return { atMs, value };
    });
  });

test("a ring says of any window what a list of the same readings would", () => {
  fc.assert(
    fc.property(readings, fc.nat(400_000), fc.nat(400_000), (given, back, length) => {
      const ring = new Ring(2, CAPACITY);
      let held: Reading[] = [];
      for (const reading of given) {
        ring.append(reading.atMs, [undefined, reading.value]);
        held = heldAfter(held, reading);
      }
      assert.equal(ring.window(0, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY), undefined);
      const newestAtMs = held.at(-1)?.atMs ?? 0;
      const oldestAtMs = held[0]?.atMs ?? 0;
      const fromMs = Math.max(oldestAtMs - 1, newestAtMs - back);
      const toMs = fromMs + length;
      const known = held.flatMap(({ atMs, value }) => (value === undefined ? [] : [{ atMs, value }]));
      const after = known.filter(({ atMs }) => atMs > fromMs);
      assert.deepEqual(ring.points(1, fromMs), after);
      const within = after.filter(({ atMs }) => atMs <= toMs);
      const window = ring.window(1, fromMs, toMs);
      assert.equal(window?.count ?? 0, within.length);
      if (window === undefined) return;
      const values = within.map(({ value }) => value);
      assert.equal(window.max, Math.max(...values));
      assert.ok(Math.abs(window.mean - values.reduce((sum, value) => sum + value, 0) / values.length) < 1e-9);
      assert.deepEqual([window.oldestAtMs, window.newestAtMs], [within[0]?.atMs, within.at(-1)?.atMs]);
    }),
    { numRuns: 60 },
  );
});
