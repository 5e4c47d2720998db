import { availableParallelism, cpus, release, totalmem } from "node:os";
import { formatBytes } from "../../core/units.ts";
import { type Figure, holds } from "./figure.ts";

const SIGNS = { "at least": ">=", "at most": "<=", below: "<" } as const;

/** What the figures were measured on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memory: string;
  readonly kernel: string;
  readonly node: string;
}

export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memory: formatBytes(totalmem()),
    kernel: release(),
    node: process.versions.node,
  };
}

/** A table for people. */
export function tableLines(figures: readonly Figure[]): string[] {
  const rows = figures.map((figure) => [
    figure.name,
    `${numberText(figure.value)} ${figure.unit}`,
    goalText(figure),
    { true: "holds", false: "MISSED" }[String(holds(figure))] ?? "",
  ]);
  const all = [["figure", "value", "goal", ""], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) =>
    row
      .map((cell, column) =>
        column === 1 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join("   ")
      .trimEnd(),
  );
}

/** One line for programs. */
export function jsonLine(bench: string, machine: Machine, figures: readonly Figure[]): string {
  const entries = figures.map((figure) => ({
    name: figure.name,
    value: rounded(figure.value),
    unit: figure.unit,
    goal: figure.goal === undefined ? null : `${SIGNS[figure.goal.is]} ${figure.goal.value}`,
    holds: holds(figure) ?? null,
  }));
  return JSON.stringify({ bench, machine, figures: entries });
}

function goalText({ goal, unit }: Figure): string {
  return goal === undefined ? "" : `${goal.is} ${numberText(goal.value)} ${unit}`;
}

/** To four digits: no measurement here is better than that. */
function rounded(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toPrecision(4));
}

function numberText(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: Math.abs(value) < 100 ? 2 : 0 });
}
