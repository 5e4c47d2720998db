import { CronLine } from "../../core/cron.ts";
import type { CronEntry, JobSpec } from "../../core/job.ts";
import { formatDuration, HOUR_MS, MINUTE_MS } from "../../core/units.ts";

/** Something that was due at an instant. */
export interface Due {
  readonly dueAtMs: number;
}

/** Something that was due and does not run. */
export interface Missed {
  readonly dueAtMs: number;
  /** Present: stands for all from the one to the other. */
  readonly untilMs?: number;
  readonly reason: string;
}

export interface DueInput {
  readonly lines: readonly CronEntry[];
  /** Whatever was due up to this instant is accounted for. */
  readonly accountedMs: number;
  /** Instants after that one of which the ledger knows a run all the same: the clock was put back. */
  readonly known: ReadonlySet<number>;
  readonly catchUp: JobSpec["catchUp"];
  readonly catchUpAgeMs: number;
  readonly nowMs: number;
}

export interface DueAnswer {
  /** Earliest first. */
  readonly due: readonly Due[];
  readonly missed: readonly Missed[];
  readonly accountedMs: number;
  /** The clock was put right by so much that what was missed after this instant has not been due yet. */
  readonly corrected: boolean;
}

/** Later than this, nobody looked when it was due; the same goes for all but the last that one look finds. */
const ON_TIME_MS = MINUTE_MS;
/**
 * A clock that goes back by less repeats an hour, and what was due in it has run; by more it was wrong, and what it
 * shows now is believed. As Vixie's cron does.
 */
const CORRECTION_MS = 3 * HOUR_MS;
/** Of what nobody looked at; what is older is told as one. */
const MOST_TOLD = 200;
const MOST_CAUGHT_UP = 100;

/**
 * What came due since the last look. Every instant at which a line matches is answered once: it is due, or missed, and
 * from then on accounted for; the hours that a clock shows twice are not due twice.
 */
export function dueNow(input: DueInput): DueAnswer {
  const { accountedMs, nowMs } = input;
  if (nowMs < accountedMs - CORRECTION_MS) {
    return { due: [], missed: [], accountedMs: nowMs, corrected: true };
  }
  const { instants, older } = matchesBetween(input.lines, accountedMs, nowMs);
  const fresh = instants.filter((atMs) => !input.known.has(atMs));
  const last = instants.at(-1);
  const { run, missed } = caughtUp(fresh, input);
  return {
    due: run.map((dueAtMs) => ({ dueAtMs })),
    missed: [...(older === undefined ? [] : [older]), ...missed],
    accountedMs: last ?? accountedMs,
    corrected: false,
  };
}

/** The next instant at which one of them matches. */
export function nextMatchMs(lines: readonly CronEntry[], afterMs: number): number | undefined {
  const next = lines.map((line) => lineOf(line).nextMatchMs(afterMs)).filter((atMs) => atMs !== undefined);
  return next.length === 0 ? undefined : Math.min(...next);
}

/** A run that has not begun by then does not begin any more. */
export function isTooOld(dueAtMs: number, catchUpAgeMs: number, nowMs: number): boolean {
  return nowMs - dueAtMs > Math.max(catchUpAgeMs, ON_TIME_MS);
}

function caughtUp(
  instants: readonly number[],
  { catchUp, catchUpAgeMs, nowMs }: DueInput,
): { run: number[]; missed: Missed[] } {
  const run: number[] = [];
  const missed: Missed[] = [];
  const allowed = catchUp === "all" ? MOST_CAUGHT_UP : 1;
  const firstAllowed = instants[Math.max(0, instants.length - allowed)] ?? nowMs;
  for (const dueAtMs of instants) {
    const isOnTime = dueAtMs === instants.at(-1) && nowMs - dueAtMs <= ON_TIME_MS;
    const why = isOnTime ? undefined : whyNot(dueAtMs);
    if (why === undefined) run.push(dueAtMs);
    else
      missed.push({ dueAtMs, reason: `nobody looked for ${lateText(dueAtMs)} after it was due, and ${why}` });
  }
  return { run, missed };

  function whyNot(dueAtMs: number): string | undefined {
    if (catchUp === "none") return "nothing is caught up";
    if (isTooOld(dueAtMs, catchUpAgeMs, nowMs)) {
      return `nothing older than ${formatDuration(catchUpAgeMs)} is caught up`;
    }
    if (dueAtMs >= firstAllowed) return undefined;
    return catchUp === "last"
      ? "only the last one is caught up"
      : `only the last ${MOST_CAUGHT_UP} are caught up`;
  }

  function lateText(dueAtMs: number): string {
    return formatDuration(nowMs - dueAtMs);
  }
}

/** The instants after the one and not after the other, in order; of too many, the last ones and all before as one. */
function matchesBetween(
  entries: readonly CronEntry[],
  afterMs: number,
  untilMs: number,
): { instants: number[]; older?: Missed } {
  const lines = entries.map(lineOf);
  const found = new Set<number>();
  let isCut = false;
  for (const line of lines) {
    let atMs = line.nextMatchMs(afterMs);
    for (let count = 0; atMs !== undefined && atMs <= untilMs && !isCut; count += 1) {
      found.add(atMs);
      isCut = count >= MOST_TOLD;
      atMs = line.nextMatchMs(atMs);
    }
  }
  const inOrder = (instants: Iterable<number>): number[] => [...instants].sort((a, b) => a - b);
  if (!isCut && found.size <= MOST_TOLD) return { instants: inOrder(found) };
  const first = Math.min(...lines.map((line) => line.nextMatchMs(afterMs) ?? untilMs));
  const newest = newestMatches(lines, afterMs, untilMs);
  const before = newest[0] ?? untilMs;
  const lastBefore = newestMatches(lines, afterMs, before - 1, 1)[0];
  if (lastBefore === undefined) return { instants: newest };
  const reason = `nobody looked for ${formatDuration(untilMs - first)}, and more than ${MOST_TOLD} came due`;
  return { instants: newest, older: { dueAtMs: first, untilMs: lastBefore, reason } };
}

function newestMatches(
  lines: readonly CronLine[],
  afterMs: number,
  untilMs: number,
  most = MOST_TOLD,
): number[] {
  const found = new Set<number>();
  for (const line of lines) {
    let atMs = line.lastMatchMs(untilMs);
    for (let count = 0; atMs !== undefined && atMs > afterMs && count < most; count += 1) {
      found.add(atMs);
      atMs = line.lastMatchMs(atMs - 1);
    }
  }
  return [...found].sort((a, b) => a - b).slice(-most);
}

/** Making one costs more than asking it. */
const LINES = new Map<string, CronLine>();
const MOST_LINES = 5_000;

function lineOf({ cron, timeZone }: CronEntry): CronLine {
  const key = `${timeZone ?? ""} ${cron}`;
  const known = LINES.get(key);
  if (known !== undefined) return known;
  const line = new CronLine(cron, timeZone);
  if (LINES.size >= MOST_LINES) LINES.clear();
  LINES.set(key, line);
  return line;
}
