import { stripVTControlCharacters, styleText } from "node:util";
import { formatPercent } from "../../core/units.ts";
import type { LoadCounts } from "./load.ts";
import type { Latencies } from "./report.ts";

/** What is to be seen at one moment. Ratios are of one replica's CPU limit. */
export interface ScreenState {
  readonly engine: string;
  readonly address: string;
  /** Since the load began. */
  readonly elapsedMs: number;
  readonly phase?: { readonly name: string; readonly remainingMs: number; readonly doneRatio: number };
  /** Answers per second, oldest first. */
  readonly answered: readonly number[];
  /** Mean over the replicas, oldest first. */
  readonly cpu: readonly (number | undefined)[];
  readonly maxCpuRatio?: number;
  readonly replicas: {
    readonly desired: number;
    readonly min: number;
    readonly max: number;
    readonly list: readonly ReplicaLine[];
  };
  /** Oldest first; the time is since the load began. */
  readonly decisions: readonly { readonly atMs: number; readonly sentence: string }[];
  readonly counts: LoadCounts;
  /** Of the last few seconds. */
  readonly latencyMs?: Latencies;
}

export interface ReplicaLine {
  readonly name: string;
  readonly state: string;
  readonly cpuRatio?: number;
}

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
  readonly colour: boolean;
}

const LEFT_COLUMNS = 10;
const WIDEST = 100;
const NARROWEST = 32;
const SPARKS = "▁▂▃▄▅▆▇█";
const MOST_DECISIONS = 5;

type Colour = "bold" | "dim" | "green" | "red" | "yellow" | "cyan";

/** One screen, line by line, none wider than the terminal. */
export function renderScreen(state: ScreenState, size: ScreenSize): string[] {
  const width = Math.max(NARROWEST, Math.min(size.columns - 1, WIDEST));
  const paint = painter(size.colour);
  const lines = [
    `${paint("bold", "Flyball")} ${paint("dim", `· shop_web on the ${state.engine} engine · ${state.address}`)}`,
    "",
    row("phase", phaseText(state, width, paint)),
    row("load", loadText(state, width, paint)),
    row("cpu", cpuText(state, width, paint)),
    row("latency", latencyText(state)),
    row("requests", countsText(state.counts, paint)),
    "",
    row("replicas", replicaBlocks(state, paint)),
    ...state.replicas.list.map((replica) => replicaText(replica, state.maxCpuRatio, width, paint)),
    "",
    ...decisionLines(state, width, paint),
  ];
  return lines.slice(0, Math.max(1, size.rows - 1)).map((line) => clip(line, width));
}

type Paint = (colour: Colour, text: string) => string;

function painter(colour: boolean): Paint {
  return (name, text) => (colour ? styleText(name, text, { validateStream: false }) : text);
}

function row(name: string, text: string): string {
  return `${name.padEnd(LEFT_COLUMNS)}${text}`;
}

function phaseText({ phase }: ScreenState, width: number, paint: Paint): string {
  if (phase === undefined) return paint("dim", "waiting for the first replica");
  const cells = Math.min(30, width - LEFT_COLUMNS - 24);
  const done = Math.round(phase.doneRatio * cells);
  const bar = cells < 4 ? "" : `${"━".repeat(done)}${paint("dim", "─".repeat(cells - done))}  `;
  return `${paint("bold", phase.name.padEnd(10))} ${bar}${Math.ceil(phase.remainingMs / 1_000)} s left`;
}

function loadText(state: ScreenState, width: number, paint: Paint): string {
  const now = `${Math.round(state.answered.at(-1) ?? 0)}/s`.padEnd(8);
  const spark = sparkline(state.answered, Math.max(1, ...state.answered), sparkCells(width));
  return `${now}${paint("cyan", spark)}`;
}

function cpuText(state: ScreenState, width: number, paint: Paint): string {
  const { maxCpuRatio } = state;
  const ratio = state.cpu.at(-1);
  const isAbove = maxCpuRatio !== undefined && ratio !== undefined && ratio > maxCpuRatio;
  const now = (ratio === undefined ? "?" : formatPercent(ratio)).padEnd(8);
  const spark = sparkline(state.cpu, Math.max(1, ...state.cpu.map((value) => value ?? 0)), sparkCells(width));
  const limit = maxCpuRatio === undefined ? "" : paint("dim", `  max ${formatPercent(maxCpuRatio)}`);
  return `${paint(isAbove ? "red" : "green", now + spark)}${limit}`;
}

function latencyText({ latencyMs }: ScreenState): string {
  if (latencyMs === undefined) return "?";
  return `p50 ${Math.round(latencyMs.p50)} ms   p95 ${Math.round(latencyMs.p95)} ms`;
}

function countsText(counts: LoadCounts, paint: Paint): string {
  const failed = paint(counts.failed === 0 ? "green" : "red", `${counts.failed} failed`);
  const waiting = counts.inFlight + counts.waiting;
  return `${counts.requests} done, ${failed}, ${counts.retried} retried, ${waiting} under way`;
}

/** `■■□···  2 of 3 ready`: ready, on its way, and what the bounds would still allow. */
function replicaBlocks(state: ScreenState, paint: Paint): string {
  const { desired, min, max, list } = state.replicas;
  const ready = list.filter((replica) => replica.state === "running").length;
  const leaving = list.filter((replica) => replica.state === "stopping").length;
  const coming = Math.max(0, desired - ready);
  const free = Math.max(0, max - ready - coming - leaving);
  const blocks =
    paint("green", "■".repeat(ready)) +
    paint("yellow", "□".repeat(coming) + "▪".repeat(leaving)) +
    paint("dim", "·".repeat(free));
  return `${blocks}  ${ready} ready, ${desired} desired, bounds ${min}..${max}`;
}

function replicaText(
  { name, state, cpuRatio }: ReplicaLine,
  maxRatio: number | undefined,
  width: number,
  paint: Paint,
): string {
  const label = `  ${name.slice(0, 18).padEnd(19)}`;
  if (state !== "running" || cpuRatio === undefined) return `${label}${paint("yellow", state)}`;
  const cells = Math.max(6, Math.min(40, width - label.length - 8));
  const filled = Math.min(cells, Math.round(cpuRatio * cells));
  const mark = maxRatio === undefined ? -1 : Math.min(cells - 1, Math.floor(maxRatio * cells));
  const colour = maxRatio !== undefined && cpuRatio > maxRatio ? "red" : "green";
  const cell = (i: number) => {
    if (i === mark) return paint("bold", "│");
    return i < filled ? paint(colour, "█") : paint("dim", "░");
  };
  return `${label}${Array.from({ length: cells }, (_, i) => cell(i)).join("")} ${formatPercent(cpuRatio).padStart(6)}`;
}

function decisionLines({ decisions }: ScreenState, width: number, paint: Paint): string[] {
  if (decisions.length === 0) return [paint("dim", "no decision has changed the count yet")];
  return decisions.slice(-MOST_DECISIONS).flatMap(({ atMs, sentence }) => {
    const [first, ...more] = wrap(sentence, width - LEFT_COLUMNS);
    const time = paint("dim", `${(atMs / 1_000).toFixed(1)} s`.padEnd(LEFT_COLUMNS));
    return [`${time}${first ?? ""}`, ...more.map((line) => " ".repeat(LEFT_COLUMNS) + line)];
  });
}

/** The newest values on the right; a space where nothing was read. */
function sparkline(values: readonly (number | undefined)[], top: number, cells: number): string {
  const shown = values.slice(-cells);
  return shown
    .map((value) => {
      if (value === undefined) return " ";
      return SPARKS[Math.min(SPARKS.length - 1, Math.floor((value / top) * SPARKS.length))] ?? " ";
    })
    .join("");
}

function sparkCells(width: number): number {
  return Math.max(4, Math.min(60, width - LEFT_COLUMNS - 20));
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines;
}

/** A painted line is only clipped where it must be, and loses its paint then. */
function clip(line: string, width: number): string {
  const plain = stripVTControlCharacters(line);
  return plain.length <= width ? line : `${plain.slice(0, width - 1)}…`;
}

/** Draws each screen over the one before. */
export class Screen {
  readonly #out: NodeJS.WriteStream;
  readonly #colour: boolean;
  #drawnLines = 0;

  constructor(out: NodeJS.WriteStream, environment: NodeJS.ProcessEnv) {
    this.#out = out;
    this.#colour = !environment["NO_COLOR"] && environment["TERM"] !== "dumb";
  }

  draw(state: ScreenState): void {
    const { columns, rows } = this.#out;
    const lines = renderScreen(state, { columns: columns || 80, rows: rows || 24, colour: this.#colour });
    const home = this.#drawnLines === 0 ? "\x1b[?25l" : `\x1b[${this.#drawnLines}A\r`;
    this.#out.write(`${home}${lines.map((line) => `${line}\x1b[K\n`).join("")}\x1b[J`);
    this.#drawnLines = lines.length;
  }

  /** The last screen stays; what is written next comes below it. */
  close(): void {
    if (this.#drawnLines > 0) this.#out.write("\x1b[?25h");
    this.#drawnLines = 0;
  }
}
