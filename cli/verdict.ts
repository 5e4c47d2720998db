import { isFlyballError } from "../core/errors.ts";
import { DAY_MS, formatDuration, MINUTE_MS, SECOND_MS } from "../core/units.ts";
import type { History, ScalingChange } from "../core/wire-history.ts";
import { figure } from "./backtest.ts";
import type { Client } from "./client.ts";
import type { BacktestReport, BacktestScores, DaemonCode } from "./daemon-door.ts";
import { fetchHistory } from "./history.ts";
import { printable } from "./terminal.ts";

/** What other rules would have made of the last days of a service. */
export interface Verdict {
  readonly service: string;
  /** The verdict, or why there is none. */
  readonly sentence: string;
  readonly measured?: {
    /** The minutes that were replayed: those that began at `fromMs` or later and before `toMs`. */
    readonly fromMs: number;
    readonly toMs: number;
    readonly startDelaySeconds: number;
    /** As it is now. */
    readonly before: BacktestScores;
    readonly after: BacktestScores;
  };
}

const MOST_DAYS = 7;
/** Nobody waits longer for a plan: then fewer days have to do. */
const BUDGET_MS = 2 * SECOND_MS;
/** Of the time, for what is replayed to be there. */
const FETCHING_SHARE = 0.5;
/** Of the time that is left: the replay of more days is foretold from that of one. */
const PLANNED_SHARE = 0.7;
const LEAST_MS = DAY_MS;
export const UNLEARNED_START_MS = 10 * SECOND_MS;

/** One for each service that the daemon knows, within two seconds for all of them. */
export async function verdictsOn(
  changes: readonly ScalingChange[],
  client: Client,
  code: DaemonCode,
  nowMs: number,
): Promise<Verdict[]> {
  const startedAtMs = performance.now();
  const verdicts: Verdict[] = [];
  for (const [index, change] of changes.entries()) {
    const untilMs = startedAtMs + (BUDGET_MS * (index + 1)) / changes.length;
    try {
      verdicts.push(await verdictOn(change, client, code, nowMs, () => untilMs - performance.now()));
    } catch (error) {
      if (!isFlyballError(error)) throw error;
      // A service that is new has no past.
      if (error.code !== "NOT_FOUND") verdicts.push(none(change, error.message));
    }
  }
  return verdicts;
}

/** What there is to say where no daemon can be asked. */
export function verdictsWithoutDaemon(changes: readonly ScalingChange[]): Verdict[] {
  return changes
    .filter(({ before }) => before !== undefined)
    .map((change) => none(change, "its history is the daemon's to tell, and none runs"));
}

export function renderVerdicts(verdicts: readonly Verdict[]): string[] {
  return verdicts.map(({ service, sentence }) => `verdict: ${printable(`${service}: ${sentence}`)}`);
}

async function verdictOn(
  change: ScalingChange,
  client: Client,
  code: DaemonCode,
  nowMs: number,
  leftMs: () => number,
): Promise<Verdict> {
  if (leftMs() <= 0) return none(change, tooLittleTime(change));
  const history = await fetchHistory(client, change.service, {
    fromMs: nowMs - MOST_DAYS * DAY_MS,
    toMs: nowMs,
    withinMs: leftMs() * FETCHING_SHARE,
  });
  const there = history.minutes.length * MINUTE_MS;
  if (there < LEAST_MS) {
    const got =
      there === 0 ? "nothing of its load is known yet" : `its load is known for ${formatDuration(there)}`;
    return none(change, `a day of its own load is needed, and ${got}`);
  }
  const { startupMs = UNLEARNED_START_MS } = history;
  const replay = async (part: History, policy: ScalingChange["after"]): Promise<BacktestReport> =>
    (await code.runBacktest({ history: part, rules: { policy }, startDelayMs: startupMs, compare: [] }))
      .report;
  const before = change.before ?? constantly(change.after, history);
  const both = async (part: History) =>
    [await replay(part, before), await replay(part, change.after)] as const;

  // The first replay of all is slow, the second tells how long others take.
  const lastDay = partFrom(history, history.toMs - DAY_MS);
  const beforeOnLastDay = await replay(lastDay, before);
  const startedAtMs = performance.now();
  const afterOnLastDay = await replay(lastDay, change.after);
  const dayMs = 2 * (performance.now() - startedAtMs);
  const affordable = Math.floor((PLANNED_SHARE * leftMs()) / dayMs);
  const part = affordable < MOST_DAYS ? partFrom(history, history.toMs - affordable * DAY_MS) : history;
  const isMore = affordable > 1 && part.minutes.length > lastDay.minutes.length;
  const [was, will] = isMore ? await both(part) : [beforeOnLastDay, afterOnLastDay];
  const replayed = isMore ? part : lastDay;
  return verdictFrom(change, history, replayed, was, will);
}

function verdictFrom(
  change: ScalingChange,
  history: History,
  replayed: History,
  was: BacktestReport,
  will: BacktestReport,
): Verdict {
  const [before, after] = [scoresOf(was), scoresOf(will)];
  if (before === undefined || after === undefined) return none(change, "nothing was replayed");
  const days = (part: History) => formatDays(part.minutes.length * MINUTE_MS);
  const cut = replayed.minutes.length < history.minutes.length;
  const sentence = [
    `cost ${figure(before.cost)} -> ${figure(after.cost)}`,
    `overload ${figure(before.overloadPercent)} % -> ${figure(after.overloadPercent)} %`,
    `${figure(before.adaptationsPerHour)} -> ${figure(after.adaptationsPerHour)} changes an hour`,
    `over ${days(replayed)} of its own load`,
    ...(cut ? [`of ${days(history)} that are there: more would take too long`] : []),
    ...(change.before === undefined ? [`now it has ${was.maxReplicas} all the time`] : []),
    ...(will.leftOut.length > 0 ? [`without its rules on ${will.leftOut.join(" and ")}`] : []),
  ].join(", ");
  const { fromMs, toMs } = replayed;
  const { startDelaySeconds } = will;
  return { service: change.service, sentence, measured: { fromMs, toMs, startDelaySeconds, before, after } };
}

/** As many as there were last: what becomes of a service without rules. */
function constantly(policy: ScalingChange["after"], { minutes }: History): ScalingChange["after"] {
  const count = Math.max(1, Math.round(minutes.at(-1)?.replicas ?? 1));
  return { ...policy, minReplicas: count, maxReplicas: count, schedule: [] };
}

function partFrom(history: History, fromMs: number): History {
  if (fromMs <= history.fromMs) return history;
  return { ...history, fromMs, minutes: history.minutes.filter(({ atMs }) => atMs >= fromMs) };
}

function scoresOf({ policies }: BacktestReport): BacktestScores | undefined {
  return policies[0]?.scores;
}

function formatDays(durationMs: number): string {
  const days = Number((durationMs / DAY_MS).toFixed(1));
  return `${days} ${days === 1 ? "day" : "days"}`;
}

function tooLittleTime({ service }: ScalingChange): string {
  return `others took the time of the plan; ask for it with flyball backtest --service ${service} --labels …`;
}

function none({ service }: ScalingChange, reason: string): Verdict {
  return { service, sentence: `no verdict: ${reason}` };
}
