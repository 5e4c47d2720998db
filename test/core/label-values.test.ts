import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Reading, readBoolean, readCount, readDuration, readPercent } from "../../core/label-values.ts";
import { readHttpProbe, readTcpProbe } from "../../core/probe-values.ts";

function refusalOf(reading: Reading<unknown>): string {
  return "refusal" in reading ? reading.refusal : assert.fail(`was read as ${JSON.stringify(reading.value)}`);
}

describe("a percentage", () => {
  const readable: [string, number][] = [
    ["70", 0.7],
    ["70%", 0.7],
    ["70 %", 0.7],
    [" 70 ", 0.7],
    ["70.0", 0.7],
    ["0.7", 0.7],
    ["0.5%", 0.005],
    ["1%", 0.01],
    ["1.5", 0.015],
    ["100%", 1],
    ["250", 2.5],
    ["10000", 100],
  ];
  for (const [text, ratio] of readable) {
    test(`"${text}" is the ratio ${ratio}`, () => assert.deepEqual(readPercent(text), { value: ratio }));
  }

  for (const text of [
    "seventy",
    "",
    "%",
    "-70",
    "+70",
    ".7",
    "7e1",
    "70%%",
    "0x46",
    "1,5",
    "NaN",
    "Infinity",
  ]) {
    test(`"${text}" is refused, and the refusal shows how to write one`, () => {
      assert.equal(refusalOf(readPercent(text)), 'expected a percentage, as "70" or "70%"');
    });
  }

  test("zero is refused", () => {
    for (const text of ["0", "0%", "0.0"]) assert.match(refusalOf(readPercent(text)), /above 0/);
  });

  test("a bare 1 is refused, because it may mean 1 % or 100 %", () => {
    for (const text of ["1", "1.0"]) assert.match(refusalOf(readPercent(text)), /"1%" or "100%"/);
  });

  test("more than anybody can mean is refused", () => {
    assert.match(refusalOf(readPercent("10001")), /at most 10000/);
    assert.match(refusalOf(readPercent("9".repeat(400))), /at most 10000/);
  });
});

describe("a count", () => {
  test("is a whole number from the least on", () => {
    assert.deepEqual(readCount(1)("1"), { value: 1 });
    assert.deepEqual(readCount(0)(" 12 "), { value: 12 });
  });

  for (const text of ["0", "-1", "1.5", "two", "", "1e3", "1234567"]) {
    test(`"${text}" is refused where at least 1 is needed`, () => {
      assert.equal(refusalOf(readCount(1)(text)), "expected a whole number of at least 1");
    });
  }
});

describe("a duration", () => {
  const read = readDuration(2_000, 900_000);

  test("is taken from the least to the most", () => {
    assert.deepEqual(read("2s"), { value: 2_000 });
    assert.deepEqual(read("15m"), { value: 900_000 });
  });

  test("outside its bounds is refused with both of them", () => {
    assert.equal(refusalOf(read("1s")), "expected a duration from 2s to 15m");
    assert.equal(refusalOf(read("1h")), "expected a duration from 2s to 15m");
  });

  test("without a unit is refused, with how to write one", () => {
    assert.equal(refusalOf(read("30")), 'expected a duration, as "15s" or "5m"');
  });
});

test("YAML's words for true and false are read in any case", () => {
  for (const text of ["true", "True", " yes ", "on", "1"])
    assert.deepEqual(readBoolean(text), { value: true });
  for (const text of ["false", "NO", "off", "0"]) assert.deepEqual(readBoolean(text), { value: false });
  assert.equal(refusalOf(readBoolean("maybe")), 'expected "true" or "false"');
});

describe("a probe", () => {
  test("over http is a path, or a port and a path", () => {
    assert.deepEqual(readHttpProbe("/healthz"), { value: { kind: "http", path: "/healthz" } });
    assert.deepEqual(readHttpProbe(":8080/ready?deep=1"), {
      value: { kind: "http", port: 8080, path: "/ready?deep=1" },
    });
  });

  for (const text of ["healthz", ":8080", "http://web/healthz", "/a b", "/a#b", ":65536/x", ":0/x", ""]) {
    test(`over http is not "${text}"`, () => {
      assert.equal(refusalOf(readHttpProbe(text)), 'expected a path, as "/healthz" or ":8080/healthz"');
    });
  }

  test("over tcp is a port", () =>
    assert.deepEqual(readTcpProbe(":5432"), { value: { kind: "tcp", port: 5432 } }));

  for (const text of ["5432", ":0", ":65536", ":http", ""]) {
    test(`over tcp is not "${text}"`, () => {
      assert.equal(refusalOf(readTcpProbe(text)), 'expected a port, as ":5432"');
    });
  }
});
