import { CronLine } from "./cron.ts";
import { messageOf } from "./errors.ts";
import type { Reading } from "./label-values.ts";
import { nearest } from "./nearest.ts";
import type { ScheduleEntry } from "./types.ts";
import { DAY_MS } from "./units.ts";

const EXPECTED = 'expected "minute hour day month weekday [time zone] = min..max"';
const MOST_ENTRIES = 50;
const FIELDS = 5;
/** Cron as everybody reads it; what only some can read (`L`, `#`, `?`, `@daily`) is left out. */
const FIELD = /^(?:(?:\*|(?:\d+|[a-z]{3})-(?:\d+|[a-z]{3}))(?:\/\d+)?|\d+|[a-z]{3})$/i;
const TIME_ZONE = /^[a-z][\w+/-]*$/i;
const BOUNDS = /^(\d{1,6})(?:\s*\.\.\s*(\d{1,6}))?$/;

/** `0 8 * * 1-5 Europe/Berlin = 4..20; 0 20 * * * Europe/Berlin = 1..6`; every entry that is wrong is named. */
export function readSchedule(text: string): Reading<readonly ScheduleEntry[]> {
  const parts = text.split(";").map((part) => part.trim());
  const written = parts.filter((part) => part !== "");
  if (written.length === 0) return { refusal: EXPECTED };
  if (written.length > MOST_ENTRIES) return { refusal: `expected at most ${MOST_ENTRIES} entries` };
  const entries: ScheduleEntry[] = [];
  const refusals: string[] = [];
  for (const [index, part] of written.entries()) {
    const reading = readEntry(part);
    if ("value" in reading) entries.push(reading.value);
    else refusals.push(written.length === 1 ? reading.refusal : `entry ${index + 1}: ${reading.refusal}`);
  }
  return refusals.length > 0 ? { refusal: refusals.join("; ") } : { value: entries };
}

function readEntry(text: string): Reading<ScheduleEntry> {
  const [when = "", bounds, ...more] = text.split("=").map((part) => part.trim());
  const fields = when.split(/\s+/);
  if (bounds === undefined || more.length > 0 || fields.length < FIELDS || fields.length > FIELDS + 1) {
    return { refusal: EXPECTED };
  }
  const wrong = fields.slice(0, FIELDS).find((field) => !field.split(",").every((part) => FIELD.test(part)));
  if (wrong !== undefined) {
    return { refusal: `expected cron fields, as "0", "*/15", "1-5" or "mon,fri", not ${quoted(wrong)}` };
  }
  const timeZone = fields[FIELDS];
  const strangeZone = timeZone === undefined ? undefined : refuseTimeZone(timeZone);
  if (strangeZone !== undefined) return { refusal: strangeZone };

  const [, least, most] = BOUNDS.exec(bounds) ?? [];
  const [minReplicas, maxReplicas] = [Number(least), Number(most ?? least)];
  if (!(minReplicas >= 1 && maxReplicas >= 1)) {
    return { refusal: `expected bounds of at least 1, as "= 4..20" or "= 4", not ${quoted(bounds)}` };
  }
  if (minReplicas > maxReplicas) {
    return { refusal: `expected the lower bound first, as ${quoted(`${maxReplicas}..${minReplicas}`)}` };
  }
  const cron = fields.slice(0, FIELDS).join(" ");
  const entry = { cron, ...(timeZone === undefined ? {} : { timeZone }), minReplicas, maxReplicas };
  try {
    return lineOf(entry).everMatches ? { value: entry } : { refusal: `${quoted(cron)} never comes` };
  } catch (error) {
    return { refusal: `${quoted(cron)} is not a cron line: ${messageOf(error)}` };
  }
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

/** Where a minute that two entries share is looked for, and in how many steps at most. Calendars repeat in 28 years. */
const SEARCH_FROM_MS = Date.UTC(2024, 0, 1);
const SEARCH_FOR_MS = 28 * 366 * DAY_MS;
const MOST_STEPS = 1_000;

/** A warning for each two entries that match at the same minute with other bounds: the later in the text wins. */
export function clashesOf(schedule: readonly ScheduleEntry[]): string[] {
  const lines = schedule.map(lineOf);
  let steps = MOST_STEPS;
  return schedule.flatMap((later, index) =>
    schedule.slice(0, index).flatMap((earlier, before) => {
      if (sameBounds(earlier, later)) return [];
      const commonMs = commonMinute(lines[before], lines[index]);
      if (commonMs === undefined) return [];
      const at = new Date(commonMs).toISOString().slice(0, 16);
      return [
        `${quoted(whenText(earlier))} and ${quoted(whenText(later))} come at the same minute, as ${at}Z, with different ` +
          `bounds: the later in the text wins, ${boundsText(later)}`,
      ];
    }),
  );

  /** By turns, each goes on to where the other is. */
  function commonMinute(a: CronLine | undefined, b: CronLine | undefined): number | undefined {
    let atMs = a?.nextMatchMs(SEARCH_FROM_MS);
    let [asked, other] = [b, a];
    while (atMs !== undefined && atMs < SEARCH_FROM_MS + SEARCH_FOR_MS && steps > 0) {
      steps -= 1;
      // One minute earlier, so that the same minute counts.
      const nextMs = asked?.nextMatchMs(atMs - 1);
      if (nextMs === atMs) return atMs;
      atMs = nextMs;
      [asked, other] = [other, asked];
    }
    return undefined;
  }
}

function lineOf({ cron, timeZone }: ScheduleEntry): CronLine {
  return new CronLine(cron, timeZone);
}

function sameBounds(a: ScheduleEntry, b: ScheduleEntry): boolean {
  return a.minReplicas === b.minReplicas && a.maxReplicas === b.maxReplicas;
}

/** `0 8 * * 1-5 Europe/Berlin`. */
function whenText({ cron, timeZone }: ScheduleEntry): string {
  return timeZone === undefined ? cron : `${cron} ${timeZone}`;
}

function boundsText({ minReplicas, maxReplicas }: ScheduleEntry): string {
  return minReplicas === maxReplicas ? String(minReplicas) : `${minReplicas}..${maxReplicas}`;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
