import { CronLine } from "./cron.ts";
import { cronText, readCronEntry, readEntries } from "./cron-entry.ts";
import type { Reading } from "./label-values.ts";
import type { ScheduleEntry } from "./types.ts";
import { DAY_MS } from "./units.ts";

const EXPECTED = 'expected "minute hour day month weekday [time zone] = min..max"';
const BOUNDS = /^(\d{1,6})(?:\s*\.\.\s*(\d{1,6}))?$/;

/** `0 8 * * 1-5 Europe/Berlin = 4..20; 0 20 * * * Europe/Berlin = 1..6`; every entry that is wrong is named. */
export function readSchedule(text: string): Reading<readonly ScheduleEntry[]> {
  return readEntries(text, EXPECTED, readEntry);
}

function readEntry(text: string): Reading<ScheduleEntry> {
  const [when = "", bounds, ...more] = text.split("=").map((part) => part.trim());
  if (bounds === undefined || more.length > 0) return { refusal: EXPECTED };
  const entry = readCronEntry(when, "five", EXPECTED);
  if ("refusal" in entry) return entry;
  const [, least, most] = BOUNDS.exec(bounds) ?? [];
  const [minReplicas, maxReplicas] = [Number(least), Number(most ?? least)];
  if (!(minReplicas >= 1 && maxReplicas >= 1)) {
    return { refusal: `expected bounds of at least 1, as "= 4..20" or "= 4", not ${quoted(bounds)}` };
  }
  if (minReplicas > maxReplicas) {
    return { refusal: `expected the lower bound first, as ${quoted(`${maxReplicas}..${minReplicas}`)}` };
  }
  return { value: { ...entry.value, minReplicas, maxReplicas } };
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
        `${quoted(cronText(earlier))} and ${quoted(cronText(later))} come at the same minute, as ${at}Z, with different ` +
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

function boundsText({ minReplicas, maxReplicas }: ScheduleEntry): string {
  return minReplicas === maxReplicas ? String(minReplicas) : `${minReplicas}..${maxReplicas}`;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
