import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../core/units.ts";
import { SERVICE_LEVEL } from "./load.ts";
import { scoresOf } from "./scores.ts";
import type { Run } from "./simulate.ts";

const WIDTH = 1_000;
const HEIGHT = 360;
const MARGIN = { left: 46, right: 14, top: 54, bottom: 34 };
const PLOT_WIDTH = WIDTH - MARGIN.left - MARGIN.right;
const PLOT_HEIGHT = HEIGHT - MARGIN.top - MARGIN.bottom;
const BASE = HEIGHT - MARGIN.bottom;

const COLORS = { demand: "#2563a8", ordered: "#9aa3ad", serving: "#1b7f5c", overload: "#d64545" } as const;

/** So that a short overload can be seen in a long run. */
const LEAST_MARK = 1.5;

/** What happened in one column of the picture. */
interface Column {
  /** The most replicas of each in the column's time; demanded: at the service level, and in fractions. */
  readonly demand: number;
  readonly ordered: number;
  readonly serving: number;
  /** The worst moment: what was demanded, and what served of it; absent when all was well. */
  readonly overload?: { readonly demanded: number; readonly serving: number };
}

/**
 * The scored steps as a picture: replicas demanded at the service level, ordered and serving, with overload shaded.
 * A long run is drawn by the most of each pixel's time, so that no peak is lost.
 */
export function plotOf(run: Run, title: string): string {
  const columns = columnsOf(run);
  const peak = Math.max(
    1,
    ...columns.map(({ demand, ordered, serving }) => Math.max(demand, ordered, serving)),
  );
  const tickStep = niceStep(peak);
  const top = Math.ceil(peak / tickStep) * tickStep;
  const y = (count: number) => round(BASE - (count / top) * PLOT_HEIGHT);
  const x = (column: number) => round(MARGIN.left + (column / columns.length) * PLOT_WIDTH);
  const { overloadPercent, cost, adaptationsPerHour } = scoresOf(run);
  const facts = `overload ${figure(overloadPercent)} %, cost ${figure(cost)}, ${figure(adaptationsPerHour)} changes per hour`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="11" role="img">`,
    `<title>${escapeXml(`${title}: ${run.policy}`)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    text(MARGIN.left, 20, escapeXml(`${title}: ${run.policy}, ${facts}`), { size: 13, fill: "#1f2933" }),
    ...legend(),
    ...replicaAxis(top, tickStep, y),
    ...timeAxis(run),
    area(columns, "demand", x, y),
    line(columns, "ordered", x, y),
    line(columns, "serving", x, y),
    ...overloads(columns, x, y),
    "</svg>",
    "",
  ].join("\n");
}

function columnsOf({ load, ordered, serving }: Run): Column[] {
  const { demand, scoredFrom } = load;
  const steps = demand.length - scoredFrom;
  const count = Math.min(steps, PLOT_WIDTH);
  return Array.from({ length: count }, (_, column) => {
    const from = scoredFrom + Math.floor((column * steps) / count);
    const to = scoredFrom + Math.floor(((column + 1) * steps) / count);
    let worst = 0;
    let overload: Column["overload"];
    for (let step = from; step < to; step += 1) {
      const demanded = (demand[step] ?? 0) / SERVICE_LEVEL;
      const excess = demanded - (serving[step] ?? 0);
      if (excess <= worst) continue;
      worst = excess;
      overload = { demanded, serving: serving[step] ?? 0 };
    }
    return {
      demand: mostOf(demand, from, to) / SERVICE_LEVEL,
      ordered: mostOf(ordered, from, to),
      serving: mostOf(serving, from, to),
      ...(overload === undefined ? {} : { overload }),
    };
  });
}

function mostOf(values: Float64Array | Uint16Array, from: number, to: number): number {
  let most = 0;
  for (let index = from; index < to; index += 1) most = Math.max(most, values[index] ?? 0);
  return most;
}

type Scale = (value: number) => number;

/** Along the most of each column. */
function outline(
  columns: readonly Column[],
  name: "demand" | "ordered" | "serving",
  x: Scale,
  y: Scale,
): string {
  return columns
    .map((column, index) => `${x(index)},${y(column[name])} ${x(index + 1)},${y(column[name])}`)
    .join(" ");
}

function area(columns: readonly Column[], name: "demand", x: Scale, y: Scale): string {
  const points = `${x(0)},${y(0)} ${outline(columns, name, x, y)} ${x(columns.length)},${y(0)}`;
  return `<polygon class="${name}" points="${points}" fill="${COLORS[name]}" fill-opacity="0.4"/>`;
}

function line(columns: readonly Column[], name: "ordered" | "serving", x: Scale, y: Scale): string {
  const points = outline(columns, name, x, y);
  return `<polyline class="${name}" points="${points}" fill="none" stroke="${COLORS[name]}" stroke-width="${name === "serving" ? 1.2 : 2}"/>`;
}

function overloads(columns: readonly Column[], x: Scale, y: Scale): string[] {
  return columns.flatMap(({ overload }, index) => {
    if (overload === undefined) return [];
    const upper = y(overload.demanded);
    const [width, height] = [x(index + 1) - x(index), y(overload.serving) - upper];
    const size = `width="${round(Math.max(width, LEAST_MARK))}" height="${round(Math.max(height, LEAST_MARK))}"`;
    return [`<rect class="overload" x="${x(index)}" y="${upper}" ${size} fill="${COLORS.overload}"/>`];
  });
}

const LEGEND_STRIDE = 140;

function legend(): string[] {
  const entries = [
    ["demand", "replicas demanded"],
    ["ordered", "ordered"],
    ["serving", "serving"],
    ["overload", "overload"],
  ] as const;
  return entries.flatMap(([name, label], index) => {
    const left = MARGIN.left + index * LEGEND_STRIDE;
    return [
      `<rect x="${left}" y="31" width="12" height="9" fill="${COLORS[name]}" fill-opacity="0.7"/>`,
      text(left + 17, 39, label),
    ];
  });
}

function replicaAxis(top: number, step: number, y: Scale): string[] {
  const lines: string[] = [];
  for (let count = 0; count <= top; count += step) {
    lines.push(
      `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y(count)}" y2="${y(count)}" stroke="#e4e7eb"/>`,
      text(MARGIN.left - 8, y(count) + 4, String(count), { anchor: "end" }),
    );
  }
  return lines;
}

const TIME_STEPS_MS = [
  ...[1, 5, 15, 30].map((minutes) => minutes * MINUTE_MS),
  ...[1, 3, 6, 12].map((hours) => hours * HOUR_MS),
  ...[1, 2, 7, 14, 28, 91, 365].map((days) => days * DAY_MS),
];
const MOST_TIME_TICKS = 12;

/** Time since the first scored step. */
function timeAxis({ load }: Run): string[] {
  const lengthMs = (load.demand.length - load.scoredFrom) * load.stepMs;
  const stepMs = TIME_STEPS_MS.find((step) => lengthMs / step <= MOST_TIME_TICKS) ?? lengthMs;
  const [unitMs, unit] =
    stepMs >= DAY_MS ? [DAY_MS, "d"] : stepMs >= HOUR_MS ? [HOUR_MS, "h"] : [MINUTE_MS, "min"];
  const ticks: string[] = [];
  for (let atMs = 0; atMs <= lengthMs; atMs += stepMs) {
    const left = round(MARGIN.left + (atMs / lengthMs) * PLOT_WIDTH);
    ticks.push(
      `<line x1="${left}" x2="${left}" y1="${BASE}" y2="${BASE + 4}" stroke="#9aa3ad"/>`,
      text(left, BASE + 18, `${round(atMs / unitMs)} ${unit}`, {
        // In the middle of the right edge half of it would be outside.
        anchor: left > WIDTH - 2 * MARGIN.right ? "end" : "middle",
      }),
    );
  }
  return ticks;
}

function text(
  x: number,
  y: number,
  content: string,
  style: { size?: number; fill?: string; anchor?: string } = {},
): string {
  const size = style.size === undefined ? "" : ` font-size="${style.size}"`;
  const anchor = style.anchor === undefined ? "" : ` text-anchor="${style.anchor}"`;
  return `<text x="${x}" y="${y}" fill="${style.fill ?? "#52606d"}"${size}${anchor}>${content}</text>`;
}

const MOST_TICKS = 8;

/** 1, 2 or 5 times a power of ten: few lines, at round counts. */
function niceStep(most: number): number {
  for (let power = 1; ; power *= 10) {
    for (const factor of [1, 2, 5]) if (most / (factor * power) <= MOST_TICKS) return factor * power;
  }
}

function figure(value: number): string {
  return Number(value.toPrecision(3)).toString();
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

const XML_ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

function escapeXml(content: string): string {
  return content.replaceAll(/[&<>"]/g, (character) => XML_ESCAPES[character] ?? "");
}
