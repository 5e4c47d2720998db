/** Powers of ten that a double holds exactly. */
const EXACT_POWER = 22;
const POWERS = Array.from({ length: EXACT_POWER + 1 }, (_, exponent) => 10 ** exponent);
const DIGITS = 6;

/**
 * A number to six significant digits: what is measured is no more exact than that, and twelve digits fewer are kept of
 * each. The result is the double nearest to that decimal, so that it is written short and read back the same.
 */
export function significant(value: number): number {
  if (value === 0 || !Number.isFinite(value)) return value;
  // Between 0.1 and 100, where nearly all are, a comparison tells the exponent that a logarithm would.
  if (value >= 0.1 && value < 1) return Math.round(value * 1e6) / 1e6;
  if (value >= 1 && value < 10) return Math.round(value * 1e5) / 1e5;
  if (value >= 10 && value < 100) return Math.round(value * 1e4) / 1e4;
  const exponent = DIGITS - 1 - Math.floor(Math.log10(Math.abs(value)));
  const power = POWERS[Math.abs(exponent)];
  if (power === undefined) return Number(value.toPrecision(DIGITS));
  return exponent < 0 ? Math.round(value / power) * power : Math.round(value * power) / power;
}
