/** A value at an instant. */
export interface TrendPoint {
  readonly atMs: number;
  readonly value: number;
}

/** The straight line that fits best: by how much the value changes in a millisecond; undefined for less than two instants. */
export function slopeOf(points: readonly TrendPoint[]): number | undefined {
  const count = points.length;
  const [first] = points;
  if (first === undefined) return undefined;
  // From the first instant on: squares of milliseconds since 1970 have no digits left for the difference.
  let [sumX, sumY] = [0, 0];
  for (const { atMs, value } of points) {
    sumX += atMs - first.atMs;
    sumY += value;
  }
  const [meanX, meanY] = [sumX / count, sumY / count];
  let [covariance, variance] = [0, 0];
  for (const { atMs, value } of points) {
    const x = atMs - first.atMs - meanX;
    covariance += x * (value - meanY);
    variance += x * x;
  }
  return variance === 0 ? undefined : covariance / variance;
}
