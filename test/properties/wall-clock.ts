import assert from "node:assert/strict";
import fc from "fast-check";
import { HOUR_MS, MINUTE_MS } from "../../core/units.ts";

/** Cron lines, and when they match by what the clocks on the walls show: an oracle that knows no cron library. */

export const ZONES = [
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "America/Havana",
  "Africa/Cairo",
  "Asia/Kolkata",
  "Australia/Lord_Howe",
  "Pacific/Auckland",
  "America/St_Johns",
] as const;

/** Offsets change on a quarter of an hour. */
const QUARTER_MS = 15 * MINUTE_MS;

/** What `Intl` says a clock in the zone shows, as milliseconds that a clock in UTC would show it at. */
export class WallClock {
  readonly #format: Intl.DateTimeFormat;
  readonly #offsets = new Map<number, number>();

  constructor(timeZone: string) {
    const numeric = "numeric";
    this.#format = new Intl.DateTimeFormat("en-US", {
      timeZone,
      hourCycle: "h23",
      year: numeric,
      month: numeric,
      day: numeric,
      hour: numeric,
      minute: numeric,
    });
  }

  offsetMs(atMs: number): number {
    const quarter = Math.floor(atMs / QUARTER_MS) * QUARTER_MS;
    const known = this.#offsets.get(quarter);
    if (known !== undefined) return known;
    const parts = Object.fromEntries(
      this.#format.formatToParts(quarter).map(({ type, value }) => [type, Number(value)]),
    );
    const { year = 0, month = 0, day = 0, hour = 0, minute = 0 } = parts;
    const offset = Date.UTC(year, month - 1, day, hour, minute) - quarter;
    this.#offsets.set(quarter, offset);
    return offset;
  }

  shows(atMs: number): number {
    return atMs + this.offsetMs(atMs);
  }
}

const clocks = new Map(ZONES.map((zone) => [zone as string, new WallClock(zone)]));

/** The quarters of 2026 in which the zone's clock is changed, and one when none is. */
export const changes = new Map(
  ZONES.map((zone) => {
    const clock = clocks.get(zone) ?? assert.fail();
    const found: number[] = [];
    for (let atMs = Date.UTC(2026, 0, 1); atMs < Date.UTC(2027, 0, 1); atMs += QUARTER_MS) {
      if (clock.offsetMs(atMs) !== clock.offsetMs(atMs - QUARTER_MS)) found.push(atMs);
    }
    return [zone as string, found.length === 0 ? [Date.UTC(2026, 5, 1)] : found];
  }),
);

export interface Field {
  readonly text: string;
  readonly has: (value: number) => boolean;
}

export const any: Field = { text: "*", has: () => true };

export function field(least: number, most: number): fc.Arbitrary<Field> {
  const value = fc.integer({ min: least, max: most });
  return fc.oneof(
    { weight: 3, arbitrary: value.map((only) => ({ text: String(only), has: (n: number) => n === only })) },
    fc.uniqueArray(value, { minLength: 2, maxLength: 3 }).map((list) => ({
      text: list.join(","),
      has: (n: number) => list.includes(n),
    })),
    fc.tuple(value, value).map(([a, b]) => {
      const [low, high] = [Math.min(a, b), Math.max(a, b)];
      return { text: `${low}-${high}`, has: (n: number) => low <= n && n <= high };
    }),
    fc.integer({ min: 2, max: 7 }).map((step) => ({
      text: `*/${step}`,
      has: (n: number) => (n - least) % step === 0,
    })),
    fc.constant(any),
  );
}

export interface Line {
  readonly cron: string;
  readonly zone: string;
  /** Says when, and not how often. */
  readonly fixed: boolean;
  readonly has: (shownMs: number) => boolean;
}

export const line: fc.Arbitrary<Line> = fc
  .record({
    minute: field(0, 59),
    // Clocks are changed at night.
    hour: fc.oneof(field(0, 4), field(0, 23)),
    weekday: fc.oneof({ weight: 2, arbitrary: fc.constant(any) }, field(0, 6)),
    zone: fc.constantFrom(...ZONES),
  })
  .map(({ minute, hour, weekday, zone }) => ({
    cron: `${minute.text} ${hour.text} * * ${weekday.text}`,
    zone,
    fixed: !minute.text.includes("*") && !hour.text.includes("*"),
    has: (shownMs) => {
      const shown = new Date(shownMs);
      return (
        minute.has(shown.getUTCMinutes()) && hour.has(shown.getUTCHours()) && weekday.has(shown.getUTCDay())
      );
    },
  }));

/** Found by going back minute by minute, with the clock on the wall in view. */
export function lastMatchByWallClock({ zone, fixed, has }: Line, nowMs: number, oldestMs: number) {
  const clock = clocks.get(zone) ?? assert.fail();
  for (let atMs = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS; atMs >= oldestMs; atMs -= MINUTE_MS) {
    const shownMs = clock.shows(atMs);
    const jumpMs = clock.offsetMs(atMs) - clock.offsetMs(atMs - MINUTE_MS);
    if (fixed && jumpMs > 0) {
      for (let skipped = shownMs - jumpMs; skipped < shownMs; skipped += MINUTE_MS) {
        if (has(skipped)) return atMs;
      }
    }
    if (has(shownMs) && !(fixed && wasShownBefore(clock, atMs))) return atMs;
  }
  return undefined;
}

function wasShownBefore(clock: WallClock, atMs: number): boolean {
  for (let earlierMs = atMs - QUARTER_MS; earlierMs > atMs - 3 * HOUR_MS; earlierMs -= QUARTER_MS) {
    if (clock.shows(earlierMs) === clock.shows(atMs)) return true;
  }
  return false;
}

/** A line, and an instant within two days of a change of its zone's clock. */
export const lineAndNow = line.chain((of) =>
  fc
    .tuple(
      fc.constantFrom(...(changes.get(of.zone) ?? [])),
      fc.integer({ min: -6 * 60, max: 2 * 24 * 60 }),
      fc.integer({ min: 0, max: 59_999 }),
    )
    .map(([changeMs, minutes, milliseconds]) => ({
      line: of,
      nowMs: changeMs + minutes * MINUTE_MS + milliseconds,
    })),
);
