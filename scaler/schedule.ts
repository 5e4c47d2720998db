import { CronLine } from "../core/cron.ts";
import type { ScheduleEntry } from "../core/types.ts";
import { DAY_MS, MINUTE_MS } from "../core/units.ts";
import type { ScheduledBounds } from "./decide.ts";

/** What came longer ago than this says nothing any more. */
const LOOK_BACK_MS = 366 * DAY_MS;

/** The bounds of the entry that came last; of two at the same minute, of the later in the text. */
export function boundsAt(schedule: readonly ScheduleEntry[], nowMs: number): ScheduledBounds | undefined {
  return inForceAt(schedule, nowMs).bounds;
}

interface InForce {
  readonly bounds?: ScheduledBounds;
  /** As long as it can only be these. */
  readonly fromMs: number;
  readonly untilMs: number;
}

function inForceAt(schedule: readonly ScheduleEntry[], nowMs: number): InForce {
  const fromMs = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS;
  let latest: { entry: ScheduleEntry; atMs: number } | undefined;
  let untilMs = Number.POSITIVE_INFINITY;
  for (const entry of schedule) {
    const line = new CronLine(entry.cron, entry.timeZone);
    const atMs = line.lastMatchMs(nowMs) ?? Number.NEGATIVE_INFINITY;
    untilMs = Math.min(untilMs, line.nextMatchMs(nowMs) ?? untilMs);
    if (atMs >= fromMs - LOOK_BACK_MS && atMs >= (latest?.atMs ?? atMs)) latest = { entry, atMs };
  }
  if (latest === undefined) return { fromMs, untilMs };
  const { cron, timeZone, minReplicas, maxReplicas } = latest.entry;
  const when = timeZone === undefined ? cron : `${cron} ${timeZone}`;
  return {
    bounds: { minReplicas, maxReplicas, schedule: when },
    fromMs,
    untilMs: Math.min(untilMs, latest.atMs + LOOK_BACK_MS + MINUTE_MS),
  };
}

/** `boundsAt` for one schedule that is asked again and again: it is worked out anew only when an entry comes. */
export class Timetable {
  readonly #schedule: readonly ScheduleEntry[];
  #inForce: InForce | undefined;

  constructor(schedule: readonly ScheduleEntry[]) {
    this.#schedule = schedule;
  }

  boundsAt(nowMs: number): ScheduledBounds | undefined {
    if (this.#schedule.length === 0) return undefined;
    const known = this.#inForce;
    if (known !== undefined && known.fromMs <= nowMs && nowMs < known.untilMs) return known.bounds;
    this.#inForce = inForceAt(this.#schedule, nowMs);
    return this.#inForce.bounds;
  }
}
