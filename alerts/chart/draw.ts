import type { AlertChart } from "../../core/alert.ts";
import { type Colour, encodePng } from "./png.ts";

/** Twice as many pixels as it is shown with, for screens that have them. */
export const CHART_WIDTH = 1_120;
export const CHART_HEIGHT = 240;

const PALETTE = [
  [255, 255, 255],
  [228, 231, 236],
  [207, 224, 252],
  [37, 99, 235],
  [220, 38, 38],
] as const satisfies readonly Colour[];
const [PAPER, GRID, AREA, LINE, THRESHOLD] = [0, 1, 2, 3, 4];

const LINE_WIDTH = 4;
const DASH = 16;
/** Above the highest point, so that it is seen to be one. */
const HEADROOM = 1.1;
/** A gap of so many usual steps is not bridged. */
const LONGEST_STEPS = 3;

/** The series over time with its threshold, from 0 up, as PNG; undefined: there is nothing to draw. */
export function drawChart({ points, threshold }: AlertChart): Buffer | undefined {
  const [first] = points;
  const last = points.at(-1);
  if (first === undefined || last === undefined || last.atMs <= first.atMs) return undefined;
  const highest = Math.max(threshold ?? 0, ...points.map(({ value }) => value), Number.MIN_VALUE) * HEADROOM;
  const yOf = (value: number) => Math.round((1 - Math.max(0, value) / highest) * (CHART_HEIGHT - 1));
  const pixels = new Uint8Array(CHART_WIDTH * CHART_HEIGHT).fill(PAPER);
  const fill = (x: number, fromY: number, toY: number, colour: number) => {
    for (let y = Math.max(0, fromY); y <= Math.min(CHART_HEIGHT - 1, toY); y += 1)
      pixels[y * CHART_WIDTH + x] = colour;
  };

  const levels = levelsByColumn(points, first.atMs, last.atMs);
  for (const [x, level] of levels.entries()) {
    for (const quarter of [0, 0.25, 0.5, 0.75, 1]) {
      const y = Math.round(quarter * (CHART_HEIGHT - 1));
      fill(x, y, y, GRID);
    }
    if (level === undefined) continue;
    const y = yOf(level);
    const before = levels[x - 1];
    const beforeY = before === undefined ? y : yOf(before);
    fill(x, y, CHART_HEIGHT - 1, AREA);
    fill(x, Math.min(y, beforeY) - LINE_WIDTH / 2, Math.max(y, beforeY) + LINE_WIDTH / 2, LINE);
  }
  if (threshold !== undefined) {
    const y = yOf(threshold);
    for (let x = 0; x < CHART_WIDTH; x += 1) if (x % (2 * DASH) < DASH) fill(x, y - 1, y + 1, THRESHOLD);
  }
  return encodePng({ width: CHART_WIDTH, height: CHART_HEIGHT, pixels }, PALETTE);
}

/** The level in each column of pixels: between two points the straight line, and nothing in a gap. */
function levelsByColumn(points: AlertChart["points"], fromMs: number, toMs: number): (number | undefined)[] {
  const longestMs = LONGEST_STEPS * usualStepMs(points);
  let index = 0;
  return Array.from({ length: CHART_WIDTH }, (_, x) => {
    const atMs = fromMs + ((toMs - fromMs) * x) / (CHART_WIDTH - 1);
    while (index < points.length - 2 && (points[index + 1]?.atMs ?? toMs) < atMs) index += 1;
    const [before, after] = [points[index], points[index + 1]];
    if (before === undefined || after === undefined) return undefined;
    const stepMs = after.atMs - before.atMs;
    if (stepMs <= 0 || stepMs > longestMs) return undefined;
    return before.value + ((after.value - before.value) * (atMs - before.atMs)) / stepMs;
  });
}

function usualStepMs(points: AlertChart["points"]): number {
  const steps = points.slice(1).map(({ atMs }, index) => atMs - (points[index]?.atMs ?? atMs));
  return steps.sort((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 0;
}
