import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { unsignedAt } from "../../collector/read/kernel-text.ts";

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
  });
});
