import { bucketAt, DAY_BUCKETS, type DemandHistory, HOUR_BUCKETS } from "./history.ts";
import { type SimilarDay, similarDays } from "./similar-days.ts";

/**
 * How cautious a forecast may be: of the similar days, so many by weight demanded no more. Which one it is each
 * service's own backtest says.
 */
export const QUANTILES: readonly number[] = [0.5, 0.75, 0.9];
/**
 * A floor meets this share of what is expected: a rule's target leaves a reserve, as 70 % does below the 80 % up to
 * which a replica serves well, and the floor may use it up. The rule itself restores it once the load is there.
 */
const READY_SHARE = 0.875;
/** One past day alone may have been any kind of day. */
export const FEWEST_DAYS = 2;

/**
 * The demand to be ready for at any time from an instant to another, in the unit of the history; undefined when the
 * history says nothing about it. `fromMs` is now: what is expected rests on what was recorded before.
 */
export function expected(
  history: DemandHistory,
  fromMs: number,
  toMs: number,
  quantile: number,
): number | undefined {
  const now = bucketAt(fromMs);
  const days = similarDays(history, now);
  if (days.length < FEWEST_DAYS) return undefined;
  let most: number | undefined;
  for (let bucket = now; bucket <= bucketAt(toMs); bucket += 1) {
    const demand = expectedIn(history, now, bucket, days, [quantile])[0] ?? Number.NaN;
    if (!Number.isNaN(demand)) most = Math.max(most ?? 0, demand);
  }
  return most;
}

/**
 * The quantiles, ascending, of what the similar days demanded in this bucket, each at today's level and each lower by
 * as much as today runs below that day now. So a rise is met in advance and a day that stays below its models costs
 * nothing: what matters is by how much each of them rose from here. Today running higher is left to the rules.
 *
 * `now` is the bucket that has begun, and `bucket` is it or one of the day after it. NaN when nothing is known.
 */
export function expectedIn(
  history: DemandHistory,
  now: number,
  bucket: number,
  days: readonly SimilarDay[],
  quantiles: readonly number[],
): readonly number[] {
  const newest = newestBefore(history, now);
  const today = history.peak(newest);
  const demands: { demand: number; weight: number }[] = [];
  let weights = 0;
  for (const { daysAgo, level, weight } of days) {
    const past = daysAgo * DAY_BUCKETS;
    const then = level * history.peak(bucket - past);
    if (Number.isNaN(then)) continue;
    const below = Math.min(0, today - level * history.peak(newest - past));
    const demand = Math.max(0, then + (Number.isNaN(below) ? 0 : below));
    demands.push({ demand: READY_SHARE * demand, weight });
    weights += weight;
  }
  demands.sort((a, b) => a.demand - b.demand);
  let passed = 0;
  let index = -1;
  return quantiles.map((quantile) => {
    while (index < demands.length - 1 && (index < 0 || passed < quantile * weights)) {
      index += 1;
      passed += demands[index]?.weight ?? 0;
    }
    return demands[index]?.demand ?? Number.NaN;
  });
}

/** The newest bucket that was seen; after an hour without any, today is not compared. */
function newestBefore(history: DemandHistory, now: number): number {
  for (let bucket = now - 1; bucket >= now - HOUR_BUCKETS; bucket -= 1) {
    if (!Number.isNaN(history.peak(bucket))) return bucket;
  }
  return now - 1;
}
