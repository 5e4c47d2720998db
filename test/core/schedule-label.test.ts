import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clashesOf, readSchedule } from "../../core/schedule-label.ts";
import type { ScheduleEntry } from "../../core/types.ts";

function entries(text: string): readonly ScheduleEntry[] {
  const reading = readSchedule(text);
  return "value" in reading ? reading.value : assert.fail(reading.refusal);
}

function refusal(text: string): string {
  const reading = readSchedule(text);
  return "refusal" in reading ? reading.refusal : assert.fail(`was read: ${JSON.stringify(reading.value)}`);
}

describe("a schedule", () => {
  test("has entries of a cron line, a time zone that is UTC unless it is named, and bounds", () => {
    assert.deepEqual(entries("0 8 * * 1-5 Europe/Berlin = 4..20; 0 20 * * * = 2;"), [
      { cron: "0 8 * * 1-5", timeZone: "Europe/Berlin", minReplicas: 4, maxReplicas: 20 },
      { cron: "0 20 * * *", minReplicas: 2, maxReplicas: 2 },
    ]);
    assert.deepEqual(entries("  */15   0-6/2 1,15 jan-MAR MON,fri  UTC=1 .. 3 "), [
      { cron: "*/15 0-6/2 1,15 jan-MAR MON,fri", timeZone: "UTC", minReplicas: 1, maxReplicas: 3 },
    ]);
    assert.equal(entries("0 0 29 2 * America/Argentina/Buenos_Aires = 1").length, 1);
    assert.equal(entries("0 0 * * 7 Etc/GMT+5 = 1").length, 1);
  });

  const refused: Record<string, RegExp> = {
    "": /^expected "minute hour/,
    " ; ; ": /^expected "minute hour/,
    "0 8 * * 1-5": /^expected "minute hour/,
    "0 8 * * = 1..2": /^expected "minute hour/,
    "0 8 * * * UTC twice = 1": /^expected "minute hour/,
    "0 8 * * * = 1 = 2": /^expected "minute hour/,
    "0 0 8 * * 1-5 = 1..2": /^expected an IANA time zone, as Europe\/Berlin, not "1-5"$/,
    "0 8 * * * Europe/Berln = 1..2": /not "Europe\/Berln": did you mean Europe\/Berlin\?$/,
    "0 8 * * * +02:00 = 1..2": /^expected an IANA time zone/,
    "0 8 * * * Mars/Olympus_Mons = 1..2": /^expected an IANA time zone/,
    "0 8 * * * = 6..2": /^expected the lower bound first, as "2\.\.6"$/,
    "0 8 * * * = 0..2": /^expected bounds of at least 1, .* not "0\.\.2"$/,
    "0 8 * * * = many": /not "many"$/,
    "0 8 * * * = 1...2": /not "1\.\.\.2"$/,
    "0 8 * * * = -1..2": /not "-1\.\.2"$/,
    "0 8 * * * = 1..1e9": /not "1\.\.1e9"$/,
    "0 8 * * * =": /not ""$/,
    "60 8 * * * = 1": /^"60 8 \* \* \*" is not a cron line: Invalid value for minute: 60$/,
    "0 24 * * * = 1": /is not a cron line/,
    "0 22-2 * * * = 1": /is not a cron line: From value is larger than to value/,
    "0 0 * foo * = 1": /is not a cron line/,
    "*/0 0 * * * = 1": /is not a cron line/,
    "0 0 L * * = 1": /^expected cron fields, .* not "L"$/,
    "0 0 ? * * = 1": /not "\?"$/,
    "0 0 * * 5#2 = 1": /not "5#2"$/,
    "5/10 0 * * * = 1": /not "5\/10"$/,
    "@daily = 1": /^expected "minute hour/,
    "0 0 30 2 * = 1": /^"0 0 30 2 \*" never comes$/,
    "0 0 31 4,6,9,11 * Europe/Berlin = 1": /never comes$/,
  };
  for (const [text, expected] of Object.entries(refused)) {
    test(`as ${JSON.stringify(text)} is refused, and it is said why`, () => {
      assert.match(refusal(text), expected);
    });
  }

  test("with several entries that are wrong says so of each", () => {
    assert.equal(
      refusal("0 8 * * * = 6..2; 0 9 * * * = 1..2; 0 0 30 2 * = 1"),
      'entry 1: expected the lower bound first, as "2..6"; entry 3: "0 0 30 2 *" never comes',
    );
  });

  test("has at most fifty entries", () => {
    assert.match(refusal("0 8 * * * = 1;".repeat(51)), /^expected at most 50 entries$/);
    assert.equal(entries("0 8 * * * = 1;".repeat(50)).length, 50);
  });
});

describe("entries that come at the same minute", () => {
  const clashes = (text: string) => clashesOf(entries(text));

  test("with other bounds are told, with the one that wins", () => {
    assert.deepEqual(clashes("0 8 * * 1-5 Europe/Berlin = 4..20; 0 7 * * 1 = 2"), [
      '"0 8 * * 1-5 Europe/Berlin" and "0 7 * * 1" come at the same minute, as 2024-01-01T07:00Z, with different ' +
        "bounds: the later in the text wins, 2",
    ]);
    assert.equal(clashes("0 8 25 12 * = 1; 0 8 * * 1-5 = 2; 0 8 * * 1 = 3..4").length, 3);
  });

  test("with the same bounds are nobody's worry", () => {
    assert.deepEqual(clashes("0 8 * * 1-5 = 4..20; 0 8 * * * = 4..20"), []);
  });

  test("are looked for no longer than is reasonable", () => {
    assert.deepEqual(clashes("0 8 * * 1-5 = 4..20; 0 20 * * * = 1..6"), []);
    const never = Array.from({ length: 50 }, (_, n) => `${n} * * * * = ${n + 1}`).join(";");
    assert.deepEqual(clashes(never), []);
  });
});
