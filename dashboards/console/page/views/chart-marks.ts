import type uPlot from "uplot";

/** What is drawn over the lines, and under them. Thresholds are 0..1. */
export interface ChartMarks {
  readonly cpuMax: number | undefined;
  readonly memoryMax: number | undefined;
  readonly decisions: readonly { readonly atMs: number; readonly from: number; readonly to: number }[];
  readonly alerts: readonly {
    readonly fromMs: number;
    readonly toMs: number | undefined;
    readonly severity: "critical" | "warning" | "info";
  }[];
}

type Colour = (name: string) => string;

/** Behind everything: for as long as one fired. */
export function drawAlerts(plot: uPlot, { alerts }: ChartMarks, colour: Colour): void {
  const { ctx, bbox } = plot;
  ctx.save();
  for (const { fromMs, toMs, severity } of alerts) {
    const left = Math.max(bbox.left, xOf(plot, fromMs));
    const right =
      toMs === undefined ? bbox.left + bbox.width : Math.min(bbox.left + bbox.width, xOf(plot, toMs));
    if (right <= left) continue;
    ctx.fillStyle = colour(severity === "critical" ? "bad-area" : "warn-area");
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
    ctx.fillStyle = colour(severity === "critical" ? "bad" : "warn");
    ctx.fillRect(left, bbox.top, right - left, 2 * devicePixelRatio);
  }
  ctx.restore();
}

export function drawThresholds(plot: uPlot, { cpuMax, memoryMax }: ChartMarks, colour: Colour): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
  for (const [max, name] of [
    [cpuMax, "cpu"],
    [memoryMax, "memory"],
  ] as const) {
    if (max === undefined) continue;
    const y = Math.round(plot.valToPos(max * 100, "percent", true)) + 0.5;
    ctx.strokeStyle = colour(name);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
  }
  ctx.restore();
}

/** A line where a count was changed, and the new count above it where there is room. */
export function drawDecisions(plot: uPlot, { decisions }: ChartMarks, colour: Colour, font: string): void {
  const { ctx, bbox } = plot;
  const scale = devicePixelRatio;
  let freeFrom = Number.NEGATIVE_INFINITY;
  ctx.save();
  ctx.font = font.replace(/^\d+/, (size) => String(Number(size) * scale));
  ctx.textAlign = "center";
  ctx.textBaseline = "top";
  for (const { atMs, from, to } of decisions.toSorted((a, b) => a.atMs - b.atMs)) {
    const x = Math.round(xOf(plot, atMs)) + 0.5;
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.strokeStyle = colour(to > from ? "out" : "in");
    ctx.fillStyle = ctx.strokeStyle;
    ctx.lineWidth = scale;
    ctx.setLineDash([2 * scale, 3 * scale]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top + 14 * scale);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    const text = `${to > from ? "▲" : "▼"}${to}`;
    const half = ctx.measureText(text).width / 2;
    if (x - half < freeFrom) continue;
    ctx.fillText(text, x, bbox.top + scale);
    freeFrom = x + half + 4 * scale;
  }
  ctx.restore();
}

function xOf(plot: uPlot, atMs: number): number {
  return plot.valToPos(atMs / 1_000, "x", true);
}
