import { InvalidArgumentError } from "commander";
import { formatDuration, HOUR_MS, parseDurationMs, SECOND_MS } from "../core/units.ts";
import type { BacktestReport, BacktestScores } from "./daemon-door.ts";
import { renderTable, type TableOptions } from "./table.ts";
import { printable } from "./terminal.ts";

const COLUMNS: readonly { readonly header: string; readonly of: (scores: BacktestScores) => number }[] = [
  { header: "OVERLOAD %", of: (scores) => scores.overloadPercent },
  { header: "COST", of: (scores) => scores.cost },
  { header: "θU", of: (scores) => scores.thetaU },
  { header: "θO", of: (scores) => scores.thetaO },
  { header: "τU", of: (scores) => scores.tauU },
  { header: "τO", of: (scores) => scores.tauO },
  { header: "ADAPTATIONS/H", of: (scores) => scores.adaptationsPerHour },
  { header: "REVERSALS/H", of: (scores) => scores.reversalsPerHour },
];

/** A duration up to an hour, in milliseconds. */
export function readStartDelay(text: string): number {
  const delayMs = parseDurationMs(text);
  if (delayMs === undefined || delayMs > HOUR_MS) {
    throw new InvalidArgumentError("Expected a duration from 0 to 1h, as 10s.");
  }
  return delayMs;
}

export function readCapacity(text: string): number | "auto" {
  if (text === "auto") return text;
  const capacity = text.trim() === "" ? Number.NaN : Number(text);
  if (capacity > 0 && Number.isFinite(capacity)) return capacity;
  throw new InvalidArgumentError("Expected auto or a number above 0.");
}

/** Names with commas between, each once. */
export function readNames(text: string): string[] {
  return [...new Set(text.split(",").map((name) => name.trim()))].filter((name) => name !== "");
}

/** What was replayed, in one line, then the scores of the policies side by side. */
export function renderBacktest(report: BacktestReport, options: TableOptions): string {
  const { trace, policies } = report;
  const hours = policies[0]?.scores.hours ?? 0;
  const facts = [
    `${trace.samples} samples, one each ${duration(trace.stepSeconds)}`,
    `${formatDuration(hours * HOUR_MS)} scored in steps of ${duration(report.stepSeconds)}`,
    `1 replica at full CPU does ${Number(report.capacity.toPrecision(4))}`,
    `${report.minReplicas}..${report.maxReplicas} replicas`,
    `each serves ${duration(report.startDelaySeconds)} after its order`,
  ];
  const rows = policies.map(({ name, scores }) => [name, ...COLUMNS.map(({ of }) => figure(of(scores)))]);
  return [
    `${printable(trace.name)}: ${facts.join("; ")}`,
    renderTable(["POLICY", ...COLUMNS.map(({ header }) => header)], rows, options),
  ].join("\n");
}

/** What a person should know of the trace before trusting the scores; absent when there is nothing. */
export function traceWarning({ trace }: BacktestReport): string | undefined {
  if (trace.gaps === 0) return undefined;
  const gaps = trace.gaps === 1 ? "1 gap" : `${trace.gaps} gaps`;
  const samples = trace.missing === 1 ? "1 sample is" : `${trace.missing} samples are`;
  return `warning: ${printable(trace.name)}: ${gaps}, ${samples} missing; the value before each gap is held over it`;
}

function duration(seconds: number): string {
  return formatDuration(seconds * SECOND_MS);
}

/** Three digits: so much the model is good for. */
function figure(value: number): string {
  if (value === 0) return "0";
  return value >= 100 ? value.toFixed(0) : value >= 0.01 ? value.toFixed(2) : value.toPrecision(2);
}
