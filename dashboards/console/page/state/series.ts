import type { HistoryMinute } from "../../../../core/wire-history.ts";
import type { TrailPoint } from "./world.ts";

/** What a chart draws: instants in seconds, shares in percent; null where nothing was read. */
export interface ChartData {
  readonly at: readonly number[];
  readonly cpu: readonly (number | null)[];
  readonly memory: readonly (number | null)[];
  readonly replicas: readonly (number | null)[];
}

/** Readings that are farther apart have something missing between them. */
const GAP_MS = { minutes: 150_000, seconds: 10_000 };

interface Reading {
  readonly atMs: number;
  readonly cpu: number | null;
  readonly memory: number | null;
  readonly replicas: number | null;
}

const NOTHING = { cpu: null, memory: null, replicas: null };

/** Minutes of the past up to where the seconds of the page's own begin, and those; nothing older than `fromMs`. */
export function chartData(
  minutes: readonly HistoryMinute[],
  trail: readonly TrailPoint[],
  fromMs: number,
): ChartData {
  const liveFromMs = trail[0]?.atMs ?? Number.POSITIVE_INFINITY;
  const past = minutes.filter(({ atMs }) => atMs >= fromMs && atMs < liveFromMs).map(ofMinute);
  const live = trail.filter(({ atMs }) => atMs >= fromMs).map(ofPoint);
  const readings = [...withGaps(past, GAP_MS.minutes), ...withGaps(live, GAP_MS.seconds)];
  return {
    at: readings.map(({ atMs }) => atMs / 1_000),
    cpu: readings.map(({ cpu }) => cpu),
    memory: readings.map(({ memory }) => memory),
    replicas: readings.map(({ replicas }) => replicas),
  };
}

/** What a service used as a whole, by its replicas of that minute. */
function ofMinute({ atMs, replicas, demand }: HistoryMinute): Reading {
  const level = (all: number | undefined) =>
    all === undefined || replicas <= 0 ? null : (all / replicas) * 100;
  return { atMs, cpu: level(demand.cpu), memory: level(demand.memory), replicas };
}

function ofPoint({ atMs, cpuRatio, memoryRatio, ready }: TrailPoint): Reading {
  const percent = (ratio: number | undefined) => (ratio === undefined ? null : ratio * 100);
  return { atMs, cpu: percent(cpuRatio), memory: percent(memoryRatio), replicas: ready };
}

function withGaps(readings: readonly Reading[], gapMs: number): readonly Reading[] {
  return readings.flatMap((reading, index) => {
    const before = readings[index - 1];
    const isTorn = before !== undefined && reading.atMs - before.atMs > gapMs;
    return isTorn ? [{ ...NOTHING, atMs: before.atMs + 1_000 }, reading] : [reading];
  });
}

/** A line through shares of the height, for a drawing that is `width` by `height`; one piece for each run of readings. */
export function sparkPath(
  values: readonly (number | undefined)[],
  { width, height, top, length }: { width: number; height: number; top: number; length: number },
): string {
  const shown = values.slice(-length);
  const step = width / Math.max(1, length - 1);
  const left = width - (shown.length - 1) * step;
  let path = "";
  let isDrawing = false;
  shown.forEach((value, index) => {
    if (value !== undefined) {
      const y = height - Math.min(1, value / top) * (height - 2) - 1;
      path += `${isDrawing ? "L" : "M"}${(left + index * step).toFixed(1)} ${y.toFixed(1)}`;
    }
    isDrawing = value !== undefined;
  });
  return path;
}
