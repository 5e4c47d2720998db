import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FlyballError } from "../../../core/errors.ts";
import { parseTrace } from "../../../scaler/backtest/trace.ts";

function csv(...rows: readonly string[]): string {
  return ["timestamp_seconds,value", ...rows, ""].join("\n");
}

/** The message and the lines of a refusal. */
function refusalOf(text: string): { message: string; problems: string[] } {
  try {
    parseTrace(text, "load.csv");
  } catch (error) {
    assert.ok(error instanceof FlyballError);
    assert.equal(error.code, "CONFIG_INVALID");
    return { message: error.message, problems: error.problems.map(({ at, message }) => `${at} ${message}`) };
  }
  return assert.fail("was not refused");
}

describe("a trace", () => {
  test("is points at times, and knows how far apart they are", () => {
    const trace = parseTrace(csv("0,1", "60,2.5", "120,0"), "load.csv");
    assert.deepEqual([...trace.timesMs], [0, 60_000, 120_000]);
    assert.deepEqual([...trace.values], [1, 2.5, 0]);
    assert.equal(trace.stepMs, 60_000);
    assert.equal(trace.gaps, 0);
  });

  test("may come from another system: with a byte order mark, CRLF, spaces, exponents and empty lines at its end", () => {
    const trace = parseTrace("\uFEFFtimestamp_seconds,value\r\n0, 1e3\r\n0.5 ,+.5\r\n\r\n\n", "load.csv");
    assert.deepEqual([...trace.timesMs], [0, 500]);
    assert.deepEqual([...trace.values], [1_000, 0.5]);
  });

  test("counts its gaps and what is missing in them", () => {
    const trace = parseTrace(csv("0,1", "60,1", "120,1", "300,1", "360,1", "480,1"), "load.csv");
    assert.deepEqual([trace.stepMs, trace.gaps, trace.missing], [60_000, 2, 3]);
  });

  test("does not call a clock that is a little late a gap", () => {
    const trace = parseTrace(csv("0,1", "60,1", "121,1", "180,1", "240,1"), "load.csv");
    assert.equal(trace.gaps, 0);
  });

  const whole: readonly [string, string, RegExp][] = [
    ["an empty file", "", /expected the header timestamp_seconds,value, got an empty file/],
    ["a file of empty lines", "\n\n", /got an empty file/],
    ["no header", "0,1\n60,2\n", /expected the header timestamp_seconds,value in line 1, got "0,1"/],
    ["another header", "time,requests\n0,1\n", /got "time,requests"/],
    ["a header alone", csv(), /expected two samples or more after the header, got 0/],
    ["one sample", csv("0,1"), /got 1/],
  ];
  for (const [what, text, message] of whole) {
    test(`is refused with ${what}`, () => assert.match(refusalOf(text).message, message));
  }

  const rows: readonly [string, string, string][] = [
    ["a time before the one before", "30,2", "expected a time after 60, got 30, which is before it"],
    ["a time that was there", "60,2", "expected a time after 60, got 60 a second time"],
    ["a negative value", "120,-2", "expected a value of 0 or more, got -2"],
    ["a word for a value", "120,many", 'expected value as a number, got "many"'],
    ["NaN", "120,NaN", 'expected value as a number, got "NaN"'],
    ["infinity", "120,1e999", 'expected value as a number, got "1e999"'],
    ["no value", "120,", 'expected value as a number, got ""'],
    ["a date for a time", "2026-11-21,2", 'expected timestamp_seconds as a number, got "2026-11-21"'],
    ["a third field", "120,2,3", 'expected two fields, timestamp_seconds,value, got "120,2,3"'],
    ["an empty line within", "\n120,2", 'expected two fields, timestamp_seconds,value, got ""'],
  ];
  for (const [what, row, problem] of rows) {
    test(`names the line of ${what}`, () => {
      const { message, problems } = refusalOf(csv("0,1", "60,1", row, "180,1"));
      assert.equal(message, "trace load.csv: 1 line cannot be used");
      assert.deepEqual(problems, [`load.csv:4 ${problem}`]);
    });
  }

  test("names every line that is wrong, up to ten", () => {
    const { message, problems } = refusalOf(
      csv(...Array.from({ length: 25 }, (_, second) => `${second},-1`)),
    );
    assert.match(message, /25 lines cannot be used; the first 10 are shown/);
    assert.equal(problems.length, 10);
  });
});
