import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { formatBytes, formatDuration, formatPercent, parseBytes, parseDurationMs } from "../../core/units.ts";

describe("durations", () => {
  const readable: [string, number][] = [
    ["0", 0],
    ["250ms", 250],
    ["1.5s", 1_500],
    ["90s", 90_000],
    ["1h30m", 5_400_000],
    ["1d", 86_400_000],
    ["2w", 1_209_600_000],
    ["1500us", 1.5],
    ["1500µs", 1.5],
    [" 5m ", 300_000],
  ];
  for (const [text, durationMs] of readable) {
    test(`"${text}" is ${durationMs} ms`, () => assert.equal(parseDurationMs(text), durationMs));
  }

  for (const text of [
    "",
    "5",
    "s",
    "-5s",
    "5 m",
    "5mm",
    "1h30",
    "five minutes",
    "1e3s",
    `${"9".repeat(400)}s`,
  ]) {
    test(`"${text.slice(0, 20)}" is not a duration`, () => assert.equal(parseDurationMs(text), undefined));
  }

  const written: [number, string][] = [
    [0, "0ms"],
    [250, "250ms"],
    [999.4, "999ms"],
    [999.6, "1s"],
    [1_500, "1.5s"],
    [9_990, "10s"],
    [59_600, "1m"],
    [300_000, "5m"],
    [5_400_000, "1h30m"],
    [90_061_000, "1d1h"],
    [-15_000, "-15s"],
  ];
  for (const [durationMs, text] of written) {
    test(`${durationMs} ms is written as ${text}`, () => assert.equal(formatDuration(durationMs), text));
  }
});

describe("bytes", () => {
  const readable: [string, number][] = [
    ["1024", 1024],
    ["10b", 10],
    ["512m", 512 * 2 ** 20],
    ["512MB", 512 * 2 ** 20],
    ["1.5gb", 1.5 * 2 ** 30],
    ["1 GiB", 2 ** 30],
    ["2t", 2 * 2 ** 40],
    ["0.3k", 307],
  ];
  for (const [text, bytes] of readable) {
    test(`"${text}" is ${bytes} bytes`, () => assert.equal(parseBytes(text), bytes));
  }

  for (const text of ["", "m", "-1", "1.5.2", "5 apples", "1e3", "9".repeat(400)]) {
    test(`"${text.slice(0, 20)}" is not a size`, () => assert.equal(parseBytes(text), undefined));
  }

  const written: [number, string][] = [
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1 KiB"],
    [1536, "1.5 KiB"],
    [2 ** 20 - 1, "1 MiB"],
    [512 * 2 ** 20, "512 MiB"],
    [5 * 2 ** 50, "5120 TiB"],
  ];
  for (const [bytes, text] of written) {
    test(`${bytes} bytes are written as ${text}`, () => assert.equal(formatBytes(bytes), text));
  }
});

test("a ratio is a whole percentage for people", () => {
  assert.equal(formatPercent(0.714), "71 %");
  assert.equal(formatPercent(1.5), "150 %");
});
