import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseSampleLine } from "../../collector/sample-line.ts";

describe("a line of a page", () => {
  test("is a series and its value, blanks or not", () => {
    assert.deepEqual(parseSampleLine('a:b{x="1", y = "2",}   3.5   170000'), {
      key: 'a:b{x="1", y = "2",}',
      name: "a:b",
      labels: [
        { name: "x", value: "1" },
        { name: "y", value: "2" },
      ],
      value: 3.5,
    });
    assert.equal(parseSampleLine("up -Inf")?.value, Number.NEGATIVE_INFINITY);
    assert.ok(Number.isNaN(parseSampleLine("up NaN")?.value));
  });

  test("that is none is told apart", () => {
    for (const line of ["", "# TYPE up gauge", "up", 'up{a="1" 2', 'up{a="1} 2', "up one", "7 8"]) {
      assert.equal(parseSampleLine(line), undefined, line);
    }
  });
});
