import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { figure, readCapacity, readNames, readStartDelay } from "../../cli/backtest.ts";
import type { DaemonCode } from "../../cli/daemon-door.ts";
import { backtest } from "../../scaler/backtest/run.ts";
import { daemonCodeDouble } from "./daemon-code-double.ts";
import { flyball } from "./flyball.ts";

const directory = mkdtempSync(join(tmpdir(), "flyball-backtest-"));
after(() => rmSync(directory, { recursive: true }));

/** The backtest is the real one. */
const code: DaemonCode = { ...daemonCodeDouble().code, runBacktest: async (request) => backtest(request) };

function traceFile(name: string, rows: readonly string[]): string {
  const file = join(directory, name);
  writeFileSync(file, ["timestamp_seconds,value", ...rows, ""].join("\n"));
  return file;
}

const ROWS = Array.from({ length: 60 }, (_, minute) => `${minute * 60},${minute < 30 ? 100 : 400}`);
const hour = traceFile("hour.csv", ROWS);
const labels = ["--labels", "autoscale.max_cpu=70"];

function run(...words: string[]) {
  return flyball(["backtest", ...words], { code });
}

describe("flyball backtest", () => {
  test("prints the scores side by side", async () => {
    const { status, printed, noted } = await run("--trace", hour, ...labels, "--compare", "hpa, oracle");
    assert.equal(status, 0, noted);
    assert.equal(noted, "");
    const [facts, headers, ...rows] = printed.split("\n");
    assert.equal(
      facts,
      "hour.csv: 60 samples, one each 1m; 1h scored in steps of 5s; 1 replica at full CPU does 25; " +
        "1..60 replicas; each serves 10s after its order",
    );
    assert.match(headers ?? "", /^POLICY +OVERLOAD % +COST +θU +θO +τU +τO +ADAPTATIONS\/H +REVERSALS\/H$/);
    assert.deepEqual(
      rows.map((row) => row.split(/ {2,}/)[0]),
      ["flyball", "hpa 70 %", "oracle"],
    );
    assert.match(rows[2] ?? "", /^oracle +0 +1\.00 +0 +/);
  });

  test("prints them as JSON, with what they were reckoned from", async () => {
    const { printed } = await run(
      "--trace",
      hour,
      ...labels,
      "--start-delay",
      "90s",
      "--capacity",
      "50",
      "--json",
    );
    const report = JSON.parse(printed);
    assert.deepEqual(
      [report.trace.samples, report.startDelaySeconds, report.capacity, report.maxReplicas],
      [60, 90, 50, 60],
    );
    assert.equal(typeof report.policies[0].scores.overloadPercent, "number");
  });

  test("writes the series and the picture where it is told", async () => {
    const [series, plot] = [join(directory, "series.csv"), join(directory, "plot.svg")];
    assert.equal((await run("--trace", hour, ...labels, "--series", series, "--plot", plot)).status, 0);
    const rows = readFileSync(series, "utf8").trimEnd().split("\n");
    assert.deepEqual([rows.length, rows[0]], [1 + 720, "t,demand,ordered,serving"]);
    assert.match(rows[1] ?? "", /^0,4,\d+,5$/);
    assert.match(readFileSync(plot, "utf8"), /^<svg .*<\/svg>\n$/s);
  });

  test("says what it did about gaps", async () => {
    const holes = traceFile(
      "holes.csv",
      ROWS.filter((_, minute) => minute !== 7 && minute !== 20 && minute !== 21),
    );
    const { status, noted } = await run("--trace", holes, ...labels);
    assert.equal(status, 0);
    assert.equal(
      noted,
      "warning: holes.csv: 2 gaps, 3 samples are missing; the value before each gap is held over it",
    );
  });

  test("refuses what it cannot use, with the reason", async () => {
    const bad = traceFile("bad.csv", ["0,1", "60,-1", "30,2"]);
    const refused: readonly [string[], RegExp][] = [
      [
        ["--trace", bad, ...labels],
        /^CONFIG_INVALID: trace bad\.csv: 1 line cannot be used\n {2}bad\.csv:3: expected a value of 0 or more, got -1$/,
      ],
      [
        ["--trace", join(directory, "none.csv"), ...labels],
        /^CONFIG_INVALID: the trace cannot be read: ENOENT/,
      ],
      [["--trace", hour, "--labels", "autoscale.max_cpu=0"], /^LABEL_INVALID: the labels cannot be used\n/],
      [["--trace", hour, ...labels, "--compare", "keda"], /^CONFIG_INVALID: .*got "keda"$/],
      [["--trace", hour, ...labels, "--series", join(directory, "no/such.csv")], /cannot be written: ENOENT/],
      [["--trace", hour], /required option '--labels <labels>' not specified/],
      [labels, /required option '--trace <file>' or '--service <service>' not specified/],
    ];
    for (const [words, message] of refused) {
      const { status, noted, printed } = await run(...words);
      assert.equal(status, 2, noted);
      assert.match(noted, message);
      assert.equal(printed, "");
    }
  });
});

describe("what was typed", () => {
  test("a start delay is up to an hour", () => {
    assert.deepEqual(["0", "10s", "1m30s", "1h"].map(readStartDelay), [0, 10_000, 90_000, 3_600_000]);
    for (const text of ["", "10", "-1s", "2h", "soon"])
      assert.throws(() => readStartDelay(text), /Expected a duration/, text);
  });

  test("a figure has the digits that mean something, and is written as people write it", () => {
    const written = [0, 1.3e-9, 0.00042, 0.0042, 0.42, 4.2, 420].map(figure);
    assert.deepEqual(written, ["0", "0.00", "0.00042", "0.0042", "0.42", "4.20", "420"]);
  });

  test("a capacity is auto or above zero", () => {
    assert.deepEqual(["auto", "0.5", "300"].map(readCapacity), ["auto", 0.5, 300]);
    for (const text of ["", " ", "0", "-1", "NaN", "Infinity", "many"]) {
      assert.throws(() => readCapacity(text), /Expected auto or a number above 0/, text);
    }
  });

  test("names have commas between, and each counts once", () => {
    assert.deepEqual(readNames("hpa, aws,,hpa,"), ["hpa", "aws"]);
  });
});
