/** The replica's share of the demand, where a series would give a value. */
export const DEMAND = "demand";

export interface Series {
  /** In the second so many after the start, from 1; undefined where it was not read. */
  readonly at: (second: number) => number | typeof DEMAND | undefined;
}

/** A value, missing, or the share of the demand; then what is added each second; then for how many seconds. */
const PART = /^(\d+(?:\.\d+)?|_|\*)([+-]\d+(?:\.\d+)?)?(?:x(\d+))?$/;

/**
 * One value a second, in one line: `0.45x5 1.0x10 _x3` is 0.45 for five seconds, 1.0 for ten, then three that are
 * missing. `0.2+0.1x5` rises by 0.1 each second: 0.2 0.3 0.4 0.5 0.6. `*` is the replica's share of the demand. The last
 * value stays.
 */
export function parseSeries(text: string): Series {
  const values = text.trim().split(/\s+/).flatMap(valuesOf);
  return { at: (second) => values[Math.min(second, values.length) - 1] };
}

function valuesOf(part: string): (number | typeof DEMAND | undefined)[] {
  const [, value, slope = "0", times = "1"] = PART.exec(part) ?? [];
  if (value === undefined) throw new Error(`expected a part of a series, as 0.45x5, _x3 or *, got ${part}`);
  return Array.from({ length: Number(times) }, (_, index) => {
    if (value === "_") return undefined;
    return value === "*" ? DEMAND : Number(value) + index * Number(slope);
  });
}
