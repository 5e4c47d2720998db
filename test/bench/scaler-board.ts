import { renderTable } from "../../cli/table.ts";
import { plainPaint } from "../../cli/terminal.ts";
import type { Scores } from "../../scaler/backtest/scores.ts";

/** The scores of each policy on each trace: `board[policy][trace]`. */
export type Board = Readonly<Record<string, Readonly<Record<string, Scores>>>>;

const SCORES = {
  "OVERLOAD %": "overloadPercent",
  COST: "cost",
  θU: "thetaU",
  θO: "thetaO",
  τU: "tauU",
  τO: "tauO",
  "ADAPT./H": "adaptationsPerHour",
  "REVERSALS/H": "reversalsPerHour",
} as const satisfies Record<string, keyof Scores>;

export function meanOf(scores: Readonly<Record<string, Scores>>, key: keyof Scores): number {
  const values = Object.values(scores).map((score) => score[key]);
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Means over the traces, each counting the same. */
export function meansTable(board: Board, baseline: string): string {
  const rows = Object.entries(board).map(([policy, scores]) => [
    policy,
    ...Object.values(SCORES).map((key) => figure(meanOf(scores, key))),
    figure(speedup(scores, board[baseline] ?? scores)),
  ]);
  return table(["MEAN OVER TRACES", ...Object.keys(SCORES), `ε vs ${baseline}`], rows);
}

/** Overload in percent and cost, trace by trace. */
export function tracesTable(board: Board): string {
  const traces = Object.keys(Object.values(board)[0] ?? {});
  const rows = Object.entries(board).map(([policy, scores]) => [
    policy,
    ...traces.map((trace) => {
      const { overloadPercent, cost } = scores[trace] ?? { overloadPercent: Number.NaN, cost: Number.NaN };
      return `${figure(overloadPercent)} / ${cost.toFixed(2)}`;
    }),
  ]);
  return table(["OVERLOAD % / COST", ...traces.map((trace) => trace.split("_").slice(0, 3).join(" "))], rows);
}

const ELASTICITY = ["thetaU", "thetaO", "tauU", "tauO"] as const;
/** Added to every value, because some are zero. */
const SPEEDUP_FLOOR = 0.1;

/** Elastic speedup (Bauer et al., TPDS 2019), all four weighed alike: above 1 is better than the baseline. */
function speedup(scores: Board[string], baseline: Board[string]): number {
  return ELASTICITY.reduce((product, key) => {
    const ratio = (meanOf(baseline, key) + SPEEDUP_FLOOR) / (meanOf(scores, key) + SPEEDUP_FLOOR);
    return product * ratio ** (1 / ELASTICITY.length);
  }, 1);
}

export function table(headers: readonly string[], rows: readonly (readonly string[])[]): string {
  return renderTable(headers, rows, { paint: plainPaint });
}

export function figure(value: number): string {
  if (value === 0) return "0";
  if (value >= 100) return value.toFixed(0);
  return value >= 0.01 ? value.toFixed(value < 1 ? 3 : 2) : value.toPrecision(2);
}
