import { InvalidArgumentError } from "commander";
import { FlyballError } from "../core/errors.ts";
import { formatDuration, HOUR_MS, parseDurationMs, SECOND_MS } from "../core/units.ts";
import { readInstantMs } from "./arguments.ts";
import type { BacktestReport, BacktestScores } from "./daemon-door.ts";
import { KEPT_MS } from "./history.ts";
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

/** A point of time: an instant, or as far from another one as was said. */
export type Moment = { readonly atMs: number } | { readonly apartMs: number };

export function readMoment(text: string): Moment {
  const apartMs = parseDurationMs(text);
  return apartMs === undefined ? { atMs: readInstantMs(text, 0) } : { apartMs };
}

/** A part of a trace: how far from its start it begins and ends. @throws FlyballError CONFIG_INVALID */
export function partOfTrace(
  from: Moment | undefined,
  to: Moment | undefined,
): { fromMs?: number; toMs?: number } {
  const [fromMs, toMs] = [from, to].map((moment) => {
    if (moment === undefined || "apartMs" in moment) return moment?.apartMs;
    throw new FlyballError(
      "CONFIG_INVALID",
      "expected how far from the start of the trace, as 50d, got an instant",
    );
  });
  return { ...(fromMs === undefined ? {} : { fromMs }), ...(toMs === undefined ? {} : { toMs }) };
}

/** A span of the past: durations are how long ago. @throws FlyballError CONFIG_INVALID when it ends before it begins */
export function pastSpan(
  from: Moment | undefined,
  to: Moment | undefined,
  nowMs: number,
): { fromMs: number; toMs: number } {
  const instant = (moment: Moment) => ("atMs" in moment ? moment.atMs : nowMs - moment.apartMs);
  const span = { fromMs: instant(from ?? { apartMs: KEPT_MS }), toMs: instant(to ?? { atMs: nowMs }) };
  if (span.fromMs < span.toMs) return span;
  throw new FlyballError("CONFIG_INVALID", "expected --from to be before --to, and both in the past");
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
    ...(report.capacity === undefined
      ? []
      : [`1 replica at full CPU does ${Number(report.capacity.toPrecision(4))}`]),
    `${report.minReplicas}..${report.maxReplicas} replicas`,
    `each serves ${duration(report.startDelaySeconds)} after its order`,
  ];
  const rows = policies.map(({ name, scores }) => [name, ...COLUMNS.map(({ of }) => figure(of(scores)))]);
  return [
    `${printable(trace.name)}: ${facts.join("; ")}`,
    renderTable(["POLICY", ...COLUMNS.map(({ header }) => header)], rows, options),
  ].join("\n");
}

/** What a person should know before trusting the scores. */
export function warningsOf(report: BacktestReport): string[] {
  const gaps = gapWarning(report);
  const { leftOut } = report;
  return [
    ...(gaps === undefined ? [] : [gaps]),
    ...(leftOut.length === 0
      ? []
      : [
          `warning: rules on ${leftOut.join(" and ")} are left out: one load is replayed, of cpu or of memory`,
        ]),
  ];
}

function gapWarning({ trace }: BacktestReport): string | undefined {
  if (trace.gaps === 0) return undefined;
  const gaps = trace.gaps === 1 ? "1 gap" : `${trace.gaps} gaps`;
  const samples = trace.missing === 1 ? "1 sample is" : `${trace.missing} samples are`;
  return `warning: ${printable(trace.name)}: ${gaps}, ${samples} missing; the value before each gap is held over it`;
}

function duration(seconds: number): string {
  return formatDuration(seconds * SECOND_MS);
}

/** Three digits: so much the model is good for. */
export function figure(value: number): string {
  if (value === 0) return "0";
  if (value >= 100) return value.toFixed(0);
  return value >= 0.01 || value < 0.0001 ? value.toFixed(2) : value.toPrecision(2);
}
