import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { keyBytes, numberOfKey, unsignedAt } from "../../collector/read/kernel-text.ts";

const bytesOf = (text: string) => Buffer.from(text, "latin1");

describe("a number in the kernel's text", () => {
  const cases: [text: string, value: number | undefined][] = [
    ["1390876542\n", 1_390_876_542],
    ["0\n", 0],
    ["42", 42],
    ["667006701 723869841\n", 667_006_701],
    ["9223372036854771712\n", Number("9223372036854771712")],
    ["max\n", undefined],
    ["", undefined],
    ["\n", undefined],
    ["-1\n", undefined],
    ["12x\n", undefined],
    ["9".repeat(400), undefined],
  ];
  for (const [text, value] of cases) {
    test(`${JSON.stringify(text.slice(0, 24))} is ${value}`, () => {
      assert.equal(unsignedAt(bytesOf(text), 0, text.length), value);
    });
  }

  test("is not read on into what an earlier read left behind", () => {
    assert.equal(unsignedAt(bytesOf("12345\n"), 0, 2), 12);
    assert.equal(numberOfKey(bytesOf("a 1\nb 2\n"), 4, keyBytes("b")), undefined);
  });
});

describe("a key in the kernel's text", () => {
  const stat = bytesOf("total_cache 1\ncache 2\nthrottled_time 1011277395\nlast 7");
  const cases: [key: string, value: number | undefined][] = [
    ["cache", 2],
    ["total_cache", 1],
    ["throttled_time", 1_011_277_395],
    ["last", 7],
    ["throttled", undefined],
    ["missing", undefined],
  ];
  for (const [key, value] of cases) {
    test(`${key} is ${value}`, () => assert.equal(numberOfKey(stat, stat.length, keyBytes(key)), value));
  }
});
