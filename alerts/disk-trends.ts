import { HOUR_MS, MINUTE_MS } from "../core/units.ts";
import type { FilesystemFacts } from "./facts.ts";
import { slopeOf, type TrendPoint } from "./trend.ts";

const STEP_MS = MINUTE_MS;
const HISTORY_MS = 6 * HOUR_MS;
/** Of less nobody can say how it goes on. */
const LEAST_HISTORY_MS = 10 * MINUTE_MS;

/** What is available of each filesystem over the last hours, and so when it will be full. */
export class DiskTrends {
  readonly #points = new Map<string, TrendPoint[]>();

  /** The same, with the time that is left. */
  apply(
    filesystems: readonly Omit<FilesystemFacts, "fullInMs">[],
    nowMs: number,
  ): readonly FilesystemFacts[] {
    const known = new Set(filesystems.map(({ mountPoint }) => mountPoint));
    for (const mountPoint of this.#points.keys()) if (!known.has(mountPoint)) this.#points.delete(mountPoint);
    return filesystems.map((filesystem) => {
      const points = this.#append(filesystem.mountPoint, { atMs: nowMs, value: filesystem.availableBytes });
      const fullInMs = timeLeftMs(points, filesystem.availableBytes, nowMs);
      return fullInMs === undefined ? filesystem : { ...filesystem, fullInMs };
    });
  }

  #append(mountPoint: string, point: TrendPoint): readonly TrendPoint[] {
    const points = this.#points.get(mountPoint) ?? [];
    const last = points.at(-1);
    // After a clock that went back, the line would go back as well.
    if (last !== undefined && point.atMs < last.atMs) points.length = 0;
    if (last === undefined || points.length === 0 || point.atMs - last.atMs >= STEP_MS) points.push(point);
    while ((points[0]?.atMs ?? 0) < point.atMs - HISTORY_MS) points.shift();
    this.#points.set(mountPoint, points);
    return points;
  }
}

/** Undefined: it does not fill, or is not known for long enough. */
function timeLeftMs(
  points: readonly TrendPoint[],
  availableBytes: number,
  nowMs: number,
): number | undefined {
  const [first] = points;
  if (first === undefined || nowMs - first.atMs < LEAST_HISTORY_MS) return undefined;
  const slope = slopeOf(points);
  return slope === undefined || slope >= 0 ? undefined : availableBytes / -slope;
}
