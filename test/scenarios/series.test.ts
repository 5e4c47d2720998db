import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DEMAND, parseSeries } from "./series.ts";

function valuesOf(text: string, seconds: number) {
  const series = parseSeries(text);
  return Array.from({ length: seconds }, (_, index) => series.at(index + 1));
}

describe("a series in one line", () => {
  test("repeats values, leaves gaps, and stays at the last one", () => {
    assert.deepEqual(valuesOf("0.45x2 1 _x2 0.5", 8), [0.45, 0.45, 1, undefined, undefined, 0.5, 0.5, 0.5]);
  });

  test("rises and falls", () => {
    assert.deepEqual(valuesOf("1+2x3 10-5x2", 5), [1, 3, 5, 10, 5]);
  });

  test("leaves a second to the demand", () => {
    assert.deepEqual(valuesOf("*x2 0.5", 3), [DEMAND, DEMAND, 0.5]);
  });

  test("that cannot be read is refused with the part that is wrong", () => {
    assert.throws(() => parseSeries("0.45x5 up"), /got up/);
  });
});
