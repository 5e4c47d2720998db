import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { timeText, UNKNOWN } from "../state/format.ts";
import type { ChartData } from "../state/series.ts";
import { type ChartMarks, drawAlerts, drawDecisions, drawThresholds } from "./chart-marks.ts";
import { html } from "./html.ts";

export type { ChartMarks } from "./chart-marks.ts";

const HEIGHT = 260;

interface Properties {
  readonly data: ChartData;
  readonly marks: ChartMarks;
  readonly fromMs: number;
  readonly toMs: number;
  /** Said in place of the drawing. */
  readonly summary: string;
}

/** The drawing is kept and given what is new; it is made anew when colours change. */
export function Chart({ data, marks, fromMs, toMs, summary }: Properties) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const newest = useRef({ data, marks, fromMs, toMs });
  newest.current = { data, marks, fromMs, toMs };
  const [under, setUnder] = useState<number | null>(null);

  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const make = () => {
      plot.current?.destroy();
      plot.current = new uPlot(
        optionsFor(element, () => newest.current, setUnder),
        columns(newest.current.data),
        element,
      );
    };
    make();
    const watcher = new ResizeObserver(() =>
      plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }),
    );
    watcher.observe(element);
    const preference = matchMedia("(prefers-color-scheme: dark)");
    preference.addEventListener("change", make);
    addEventListener("themechange", make);
    return () => {
      watcher.disconnect();
      preference.removeEventListener("change", make);
      removeEventListener("themechange", make);
      plot.current?.destroy();
      plot.current = null;
    };
  }, []);
  useEffect(() => plot.current?.setData(columns(data)), [data, marks]);

  return html`<p class="readout" aria-hidden="true">${readout(data, under)}</p>
    <div class="chart" ref=${place} role="img" aria-label=${summary}></div>`;
}

function columns({ at, cpu, memory, replicas }: ChartData): uPlot.AlignedData {
  return [[...at], [...cpu], [...memory], [...replicas]];
}

/** What is under the pointer, else the newest. */
function readout({ at, cpu, memory, replicas }: ChartData, under: number | null): string {
  const index = under ?? at.length - 1;
  const seconds = at[index];
  if (seconds === undefined) return "";
  const percent = (value: number | null | undefined) =>
    value === null || value === undefined ? UNKNOWN : `${Math.round(value)} %`;
  const count = replicas[index];
  return [
    timeText(seconds * 1_000),
    `CPU ${percent(cpu[index])}`,
    `memory ${percent(memory[index])}`,
    `replicas ${count === null || count === undefined ? UNKNOWN : Number(count.toFixed(1))}`,
  ].join("   ");
}

type Newest = Pick<Properties, "data" | "marks" | "fromMs" | "toMs">;

function optionsFor(
  element: HTMLElement,
  newest: () => Newest,
  onUnder: (index: number | null) => void,
): uPlot.Options {
  const colour = (name: string) => colourIn(element, name);
  const font = `11px ${getComputedStyle(element).fontFamily}`;
  const axis = { stroke: colour("muted"), font, ticks: { show: false }, gap: 6 };
  const grid = { stroke: colour("grid"), width: 1 };
  const line = (name: string, scale: string): uPlot.Series => ({
    ...{ label: name, scale, stroke: colour(name), width: 1.6, points: { show: false } },
  });
  return {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [10, 4, 0, 4],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
    scales: {
      x: { time: true, range: () => [newest().fromMs / 1_000, newest().toMs / 1_000] },
      percent: { range: (_, __, most) => [0, topOf(most, newest().marks)] },
      count: { range: (_, __, most) => [0, Math.max(4, Math.ceil((most ?? 0) * 1.5))] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        values: (_, splits, __, ___, step) =>
          splits.map((at) => timeText(at * 1_000).slice(0, step < 60 ? 8 : 5)),
        space: 64,
        size: 30,
      },
      {
        ...axis,
        scale: "percent",
        grid,
        values: (_, splits) => splits.map((value) => `${value} %`),
        size: 46,
      },
      {
        ...axis,
        scale: "count",
        side: 1,
        grid: { show: false },
        size: 30,
        incrs: [1, 2, 5, 10, 20, 50, 100, 500],
      },
    ],
    series: [
      {},
      { ...line("cpu", "percent"), fill: colour("cpu-area") },
      line("memory", "percent"),
      { ...line("replicas", "count"), ...stepped() },
    ],
    hooks: {
      drawClear: [(plot) => drawAlerts(plot, newest().marks, colour)],
      draw: [
        (plot) => drawThresholds(plot, newest().marks, colour),
        (plot) => drawDecisions(plot, newest().marks, colour, font),
      ],
      setCursor: [(plot) => onUnder(plot.cursor.idx ?? null)],
    },
  };
}

/** A count stays until it is another. */
function stepped(): Pick<uPlot.Series, "paths"> {
  const paths = uPlot.paths.stepped?.({ align: 1 });
  return paths === undefined ? {} : { paths };
}

function topOf(most: number | null, { cpuMax, memoryMax }: ChartMarks): number {
  const top = Math.max(most ?? 0, (cpuMax ?? 0) * 100, (memoryMax ?? 0) * 100, 10) * 1.12;
  return top > 88 ? Math.max(100, top) : Math.ceil(top / 10) * 10;
}

/** A canvas knows no variables, and not which of two colours is meant. */
function colourIn(element: HTMLElement, name: string): string {
  element.style.color = `var(--${name})`;
  return getComputedStyle(element).color;
}
