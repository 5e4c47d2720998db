/** One number that was measured, and what it should be. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** Absent: it is only reported. */
  readonly goal?: Goal;
}

export interface Goal {
  readonly is: "at least" | "at most" | "below";
  readonly value: number;
}

/** Measures, and may tell on the way how far it is. `quick`: as little as shows that it works. */
export type Bench = (
  say: (line: string) => void,
  options: { readonly quick: boolean },
) => Promise<readonly Figure[]>;

export function holds({ value, goal }: Figure): boolean | undefined {
  if (goal === undefined) return undefined;
  if (goal.is === "at least") return value >= goal.value;
  return goal.is === "at most" ? value <= goal.value : value < goal.value;
}

/** The value below which such a share of the values lies; the nearest one that was measured. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
