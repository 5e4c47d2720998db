import { CronLine } from "./cron.ts";
import { messageOf } from "./errors.ts";
import type { CronEntry } from "./job.ts";
import type { Reading } from "./label-values.ts";
import { nearest } from "./nearest.ts";

/** Cron as everybody reads it; what only some can read (`L`, `#`, `?`, `@daily`) is left out. */
const FIELD = /^(?:(?:\*|(?:\d+|[a-z]{3})-(?:\d+|[a-z]{3}))(?:\/\d+)?|\d+|[a-z]{3})$/i;
const TIME_ZONE = /^[a-z][\w+/-]*$/i;
/** Of the last field, by which it is told from a time zone of three letters. */
const WEEKDAY_LIST = /^(?:[\d*/,-]|sun|mon|tue|wed|thu|fri|sat)+$/i;
const MOST_ENTRIES = 50;

/** Several, separated by `;`; every one that is wrong is named. */
export function readEntries<Entry>(
  text: string,
  expected: string,
  readEntry: (text: string) => Reading<Entry>,
): Reading<readonly Entry[]> {
  const parts = text.split(";").map((part) => part.trim());
  const written = parts.filter((part) => part !== "");
  if (written.length === 0) return { refusal: expected };
  if (written.length > MOST_ENTRIES) return { refusal: `expected at most ${MOST_ENTRIES} entries` };
  const entries: Entry[] = [];
  const refusals: string[] = [];
  for (const [index, part] of written.entries()) {
    const reading = readEntry(part);
    if ("value" in reading) entries.push(reading.value);
    else refusals.push(written.length === 1 ? reading.refusal : `entry ${index + 1}: ${reading.refusal}`);
  }
  return refusals.length > 0 ? { refusal: refusals.join("; ") } : { value: entries };
}

/** How many fields a line may have. A second field before the minute is taken for one only where six may stand. */
export type FieldCounts = "five" | "six" | "five or six";

/** `0 8 * * 1-5 Europe/Berlin`. @param expected what to say of a line that has another form */
export function readCronEntry(text: string, counts: FieldCounts, expected: string): Reading<CronEntry> {
  const words = text.split(/\s+/);
  const fieldCount = fieldsIn(words, counts);
  if (words.length < fieldCount || words.length > fieldCount + 1) return { refusal: expected };
  const fields = words.slice(0, fieldCount);
  const wrong = fields.find((field) => !field.split(",").every((part) => FIELD.test(part)));
  if (wrong !== undefined) {
    return { refusal: `expected cron fields, as "0", "*/15", "1-5" or "mon,fri", not ${quoted(wrong)}` };
  }
  const timeZone = words[fieldCount];
  const strangeZone = timeZone === undefined ? undefined : refuseTimeZone(timeZone);
  if (strangeZone !== undefined) return { refusal: strangeZone };
  const cron = fields.join(" ");
  const entry = { cron, ...(timeZone === undefined ? {} : { timeZone }) };
  try {
    return new CronLine(cron, timeZone).everMatches
      ? { value: entry }
      : { refusal: `${quoted(cron)} never comes` };
  } catch (error) {
    return { refusal: `${quoted(cron)} is not a cron line: ${messageOf(error)}` };
  }
}

/** `0 8 * * 1-5 Europe/Berlin`. */
export function cronText({ cron, timeZone }: CronEntry): string {
  return timeZone === undefined ? cron : `${cron} ${timeZone}`;
}

function fieldsIn(words: readonly string[], counts: FieldCounts): number {
  if (counts === "six") return 6;
  if (counts === "five" || words.length < 6) return 5;
  return words.length > 6 || WEEKDAY_LIST.test(words[5] ?? "") ? 6 : 5;
}

function refuseTimeZone(name: string): string | undefined {
  try {
    if (TIME_ZONE.test(name)) return void new Intl.DateTimeFormat("en", { timeZone: name });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  const meant = nearest(name, Intl.supportedValuesOf("timeZone"));
  const hint = meant === undefined ? "" : `: did you mean ${meant}?`;
  return `expected an IANA time zone, as Europe/Berlin, not ${quoted(name)}${hint}`;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
