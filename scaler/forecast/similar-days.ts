import { DAY_BUCKETS, type DemandHistory, HOUR_BUCKETS, KEPT_DAYS } from "./history.ts";

/** A past day whose course says something about what comes next today. */
export interface SimilarDay {
  readonly daysAgo: number;
  /** What today demands for each unit of that day: the trend. */
  readonly level: number;
  /** How much it counts beside the others, above 0 and below 1. */
  readonly weight: number;
}

/** The last hours tell more about today than the hours before: what is this old counts half. */
const HALF_LIFE_BUCKETS = 6 * HOUR_BUCKETS;
/** A day that differs from today by this much more of the demand than the most similar one counts 1/e. */
const DISTANCE_SCALE = 0.1;
/** Days that count less than this are left out. */
const LEAST_WEIGHT = 0.01;
/** So many average hours of both days count as alike, so that a little more in a quiet night is no trend. */
const PRIOR_BUCKETS = 3 * HOUR_BUCKETS;
/** Today is taken for no more and no less than this times another day. */
const MOST_LEVEL = 2;
/** A past day says nothing when less than this much of it, of its last 24 hours then, can be compared. */
const LEAST_COMPARED = 0.5;

/** Services change: of days that are equally similar, one that is this much older counts half. */
const HALF_LIFE_DAYS = 7;

/** Of the buckets of 24 hours, the newest last. */
const RECENCY = Float64Array.from(
  { length: DAY_BUCKETS },
  (_, index) => 0.5 ** ((DAY_BUCKETS - 1 - index) / HALF_LIFE_BUCKETS),
);
const FULL_RECENCY = RECENCY.reduce((sum, weight) => sum + weight, 0);

/**
 * The past days that went as today does: for each of them the 24 hours before the same time of day are compared with
 * the 24 hours before this bucket, the last ones counting most. Which weekday it is plays no part. A Tuesday is most
 * like the Tuesdays before because Mondays and their nights are alike, and a holiday is soon most like a Sunday.
 */
export function similarDays(history: DemandHistory, bucket: number): SimilarDay[] {
  const days: { daysAgo: number; level: number; distance: number }[] = [];
  const prior = PRIOR_BUCKETS * recentMean(history, bucket);
  const today = new Float64Array(DAY_BUCKETS);
  const that = new Float64Array(DAY_BUCKETS);
  history.copyMeans(bucket, today);
  for (let daysAgo = 1; daysAgo < KEPT_DAYS; daysAgo += 1) {
    const end = bucket - daysAgo * DAY_BUCKETS;
    if (end <= history.firstBucket) break;
    history.copyMeans(end, that);
    const compared = compare(today, that, prior);
    if (compared !== undefined) days.push({ daysAgo, ...compared });
  }
  const least = days.reduce((min, { distance }) => Math.min(min, distance), Number.POSITIVE_INFINITY);
  return days
    .map(({ daysAgo, level, distance }) => ({
      daysAgo,
      level,
      weight: Math.exp((least - distance) / DISTANCE_SCALE) * 0.5 ** (daysAgo / HALF_LIFE_DAYS),
    }))
    .filter(({ weight }) => weight >= LEAST_WEIGHT);
}

function recentMean(history: DemandHistory, bucket: number): number {
  let sum = 0;
  let seen = 0;
  for (let at = Math.max(history.firstBucket, bucket - 7 * DAY_BUCKETS); at < bucket; at += HOUR_BUCKETS) {
    const mean = history.mean(at);
    if (Number.isNaN(mean)) continue;
    sum += mean;
    seen += 1;
  }
  return seen === 0 ? 0 : sum / seen;
}

/** The level that makes the two alike, and the share of the demand by which they then still differ. */
function compare(
  today: Float64Array,
  that: Float64Array,
  prior: number,
): { level: number; distance: number } | undefined {
  let todaySum = 0;
  let thatSum = 0;
  let compared = 0;
  for (let index = 0; index < DAY_BUCKETS; index += 1) {
    const now = today[index] ?? Number.NaN;
    const then = that[index] ?? Number.NaN;
    const recency = RECENCY[index] ?? 0;
    if (Number.isNaN(now + then)) continue;
    todaySum += recency * now;
    thatSum += recency * then;
    compared += recency;
  }
  if (compared < LEAST_COMPARED * FULL_RECENCY) return undefined;
  const ratio = thatSum + prior > 0 ? (todaySum + prior) / (thatSum + prior) : 1;
  const level = Math.min(MOST_LEVEL, Math.max(1 / MOST_LEVEL, ratio));
  let difference = 0;
  for (let index = 0; index < DAY_BUCKETS; index += 1) {
    const now = today[index] ?? Number.NaN;
    const then = that[index] ?? Number.NaN;
    const recency = RECENCY[index] ?? 0;
    if (!Number.isNaN(now + then)) difference += recency * Math.abs(now - level * then);
  }
  return { level, distance: difference === 0 ? 0 : difference / (todaySum + prior) };
}
