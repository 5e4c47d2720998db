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
  const exponent = DIGITS - 1 - Math.floor(Math.log10(Math.abs(value)));
  const power = POWERS[Math.abs(exponent)];
  if (power === undefined) return Number(value.toPrecision(DIGITS));
  return exponent < 0 ? Math.round(value / power) * power : Math.round(value * power) / power;
}
