/** How many of how many failed. */
export interface Counted {
  readonly requests: number;
  readonly errors: number;
}

/**
 * One-sided, each thousandth: it is asked once a second, and by chance alone a test of one hundredth would sooner or
 * later say yes.
 */
const Z = 3.09;

/**
 * By how much more the first fails than the second, at least and at most: Newcombe's hybrid score interval (Statistics in
 * Medicine 17, 1998, method 10), of two Wilson intervals. It holds for few requests and for no error at all, where
 * the interval of the normal approximation has no width.
 */
export function comparison(
  fresh: Counted,
  old: Counted,
  z = Z,
): { readonly leastMore: number; readonly mostMore: number } {
  const [a, b] = [wilson(fresh, z), wilson(old, z)];
  const difference = a.share - b.share;
  return {
    leastMore: difference - Math.hypot(a.share - a.low, b.high - b.share),
    mostMore: difference + Math.hypot(a.high - a.share, b.share - b.low),
  };
}

/** Where the share may be, after so many. Of none nothing is known: from 0 to 1. */
function wilson({ requests, errors }: Counted, z: number): { share: number; low: number; high: number } {
  if (requests === 0) return { share: 0, low: 0, high: 1 };
  const share = Math.min(1, errors / requests);
  const square = z ** 2;
  const middle = (share + square / (2 * requests)) / (1 + square / requests);
  const half =
    (z * Math.sqrt((share * (1 - share)) / requests + square / (4 * requests ** 2))) /
    (1 + square / requests);
  return { share, low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}
