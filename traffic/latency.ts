/**
 * Balancers keep no quantile. They count, for each server, how many answers took how long: exactly, for every answer.
 * Each bucket ends below its bound, the last has none.
 */
export const BUCKETS_US: readonly number[] = [
  1_000, 2_000, 3_000, 5_000, 7_500, 10_000, 15_000, 25_000, 40_000, 65_000, 100_000, 160_000, 250_000,
  400_000, 650_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000,
];

/** Answers by bucket. */
export type Histogram = readonly number[];

/** What was counted since; from a counter that began anew, all that it has. */
export function histogramSince(newer: Histogram, older: Histogram | undefined): Histogram {
  if (older === undefined || newer.some((count, bucket) => count < (older[bucket] ?? 0))) return newer;
  return newer.map((count, bucket) => count - (older[bucket] ?? 0));
}

export function addHistograms(histograms: readonly Histogram[]): Histogram {
  const [first = [], ...rest] = histograms;
  return rest.reduce((sum, histogram) => sum.map((count, bucket) => count + (histogram[bucket] ?? 0)), first);
}

/** The latency below which such a share of the answers lies, in milliseconds, taken as even within a bucket. */
export function quantileMs(histogram: Histogram, share: number): number | undefined {
  const total = histogram.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  const rank = share * total;
  let below = 0;
  for (const [bucket, count] of histogram.entries()) {
    if (count > 0 && below + count >= rank) {
      const from = BUCKETS_US[bucket - 1] ?? 0;
      const to = BUCKETS_US[bucket] ?? from;
      return (from + ((to - from) * (rank - below)) / count) / 1_000;
    }
    below += count;
  }
  return undefined;
}

/** Of no answers yet. */
export function emptyHistogram(): number[] {
  return new Array<number>(BUCKETS_US.length + 1).fill(0);
}

/** The bucket that an answer is counted in. */
export function bucketOf(latencyMs: number): number {
  const index = BUCKETS_US.findIndex((boundUs) => latencyMs * 1_000 < boundUs);
  return index === -1 ? BUCKETS_US.length : index;
}
