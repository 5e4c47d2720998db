import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../core/units.ts";
import { Forecast } from "../../scaler/forecast/forecast.ts";
import { bucketAt, DemandHistory } from "../../scaler/forecast/history.ts";
import { expected } from "../../scaler/forecast/predict.ts";

const START_MS = Date.UTC(2026, 0, 5);

/** Half hours of a service's life, some unseen, some with a clock that was set. */
const halfHours = fc.array(
  fc.record({
    value: fc.oneof(
      { weight: 8, arbitrary: fc.double({ min: 0, max: 1000, noNaN: true }) },
      { weight: 1, arbitrary: fc.constantFrom(Number.NaN, -1, Number.POSITIVE_INFINITY, 0) },
    ),
    jumpMs: fc.oneof(
      { weight: 40, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: -3 * DAY_MS, max: 3 * DAY_MS }) },
    ),
  }),
  { minLength: 1, maxLength: 400 },
);
const sizing = fc.record({
  capacity: fc.double({ min: 0.01, max: 100, noNaN: true }),
  targetRatio: fc.double({ min: 0.05, max: 1, noNaN: true }),
  startMs: fc.integer({ min: 0, max: 2 * HOUR_MS }),
});

describe("whatever a service lived through", () => {
  test("a floor is a number, not negative and at most twice what was ever seen, and comes out the same again", () => {
    fc.assert(
      fc.property(halfHours, sizing, (steps, size) => {
        const [one, other] = [new Forecast(), new Forecast()];
        let nowMs = START_MS;
        let highest = 0;
        for (const { value, jumpMs } of steps) {
          nowMs += HOUR_MS / 2 + jumpMs;
          for (const forecast of [one, other]) forecast.record(nowMs - HOUR_MS / 2, nowMs, value);
          if (Number.isFinite(value)) highest = Math.max(highest, value);
          const floor = one.floor(nowMs, size);
          assert.deepEqual(other.floor(nowMs, size), floor);
          if ("demand" in floor) assert.ok(floor.demand >= 0 && floor.demand <= 2.001 * highest);
        }
        const { verdict } = one.basis;
        for (const figure of Object.values(verdict)) assert.ok(!Number.isNaN(Number(figure)));
      }),
      { numRuns: 60 },
    );
  });

  test("what is expected is a number, not negative and at most twice what was ever seen, or unknown", () => {
    fc.assert(
      fc.property(halfHours, fc.double({ min: 0, max: 1, noNaN: true }), (steps, quantile) => {
        const history = new DemandHistory();
        let nowMs = START_MS;
        let highest = 0;
        for (const { value, jumpMs } of steps) {
          nowMs += HOUR_MS / 2 + jumpMs;
          history.record(nowMs - HOUR_MS / 2, nowMs, value);
          if (Number.isFinite(value)) highest = Math.max(highest, value);
        }
        const demand = expected(history, nowMs, nowMs + 10 * MINUTE_MS, quantile);
        if (demand !== undefined) assert.ok(demand >= 0 && demand <= 2.001 * highest, String(demand));
      }),
      { numRuns: 100 },
    );
  });

  test("the history keeps what was recorded last, for four weeks and no longer", () => {
    fc.assert(
      fc.property(halfHours, (steps) => {
        const history = new DemandHistory();
        let nowMs = START_MS;
        for (const { value, jumpMs } of steps) {
          nowMs += HOUR_MS / 2 + jumpMs;
          history.record(nowMs - HOUR_MS / 2, nowMs, value);
          if (!(value >= 0 && Number.isFinite(value))) continue;
          assert.ok(history.endBucket - history.firstBucket <= (28 * DAY_MS) / (5 * MINUTE_MS));
          assert.equal(history.endBucket, bucketAt(nowMs - 1) + 1);
          assert.ok(history.peak(history.endBucket - 1) >= Math.fround(value));
          assert.ok(Number.isNaN(history.mean(history.endBucket)));
        }
      }),
      { numRuns: 100 },
    );
  });
});
