/** How many observations were at most so large, with all that were smaller. */
export interface Bucket {
  readonly upTo: number;
  readonly count: number;
}

/**
 * The value below which the share `quantile` of the observations lies, as Prometheus' `histogram_quantile` estimates it for
 * classic histograms (https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile): observations
 * are taken to be spread evenly in their bucket, the lowest bucket to begin at 0 where its bound is positive, and what
 * lies in the `+Inf` bucket is the highest finite bound. Buckets are in the order of their bounds. Undefined without
 * observations, without a `+Inf` bucket, and when it is the only one.
 */
export function histogramQuantile(quantile: number, buckets: readonly Bucket[]): number | undefined {
  const last = buckets.at(-1);
  if (last?.upTo !== Infinity || buckets.length < 2) return undefined;
  const counts = neverFalling(buckets);
  const observations = counts.at(-1) ?? 0;
  if (!(observations > 0)) return undefined;
  const rank = quantile * observations;
  const index = counts.findIndex((count) => count >= rank);
  const bucket = buckets[index];
  const before = buckets[index - 1];
  if (bucket === undefined) return undefined;
  if (bucket.upTo === Infinity) return before?.upTo;
  if (before === undefined && bucket.upTo <= 0) return bucket.upTo;
  const from = before?.upTo ?? 0;
  const below = counts[index - 1] ?? 0;
  const inside = (counts[index] ?? 0) - below;
  return inside > 0 ? from + (bucket.upTo - from) * ((rank - below) / inside) : from;
}

/** A page that is written while requests end may count one in a bucket and not yet in the next. */
function neverFalling(buckets: readonly Bucket[]): number[] {
  let most = 0;
  return buckets.map(({ count }) => {
    most = Math.max(most, count);
    return most;
  });
}
