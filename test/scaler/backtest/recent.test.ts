import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Recent } from "../../../scaler/backtest/recent.ts";

describe("what was read of late", () => {
  test("is averaged over a span that is open at its start and closed at its end", () => {
    const recent = new Recent(60_000);
    for (const [second, value] of [10, 20, 40, 80].entries()) recent.add(second * 1_000, value);
    assert.equal(recent.mean(0, 2_000), 30);
    assert.equal(recent.mean(-1, 3_000), 37.5);
    assert.equal(recent.mean(3_000, 9_000), undefined);
    assert.equal(recent.total(1_000), 120);
  });

  test("has a least and a most since an instant, that one included", () => {
    const recent = new Recent(60_000);
    for (const [second, value] of [9, 1, 5, 7].entries()) recent.add(second * 1_000, value);
    assert.deepEqual(
      [recent.least(1_000), recent.least(2_000), recent.most(1_000), recent.most(0)],
      [1, 5, 7, 9],
    );
  });

  test("is all that lies within the span, however long it goes on", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 2_000 }), (span, count) => {
        const recent = new Recent(span);
        for (let at = 0; at < count; at += 1) recent.add(at, at);
        const from = Math.max(0, count - 1 - span);
        assert.equal(recent.least(count - 1 - span), from);
        assert.equal(recent.mean(count - 2 - span, count), (from + count - 1) / 2);
      }),
    );
  });
});
