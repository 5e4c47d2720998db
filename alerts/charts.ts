import type { AlertChart, Notification } from "../core/alert.ts";
import type { ChartSignal } from "./rule.ts";
import type { AlertState } from "./state.ts";

/** A series of a service over the last while, oldest first; undefined: there is none. */
export type SeriesReader = (
  service: string,
  metric: ChartSignal["metric"],
) => AlertChart["points"] | undefined;

const TITLES: Readonly<Record<ChartSignal["metric"], string>> = {
  cpu: "CPU",
  memory: "memory",
  rps: "requests per second",
  latency: "latency at p95",
  replicas: "replicas",
};
const UNITS: Readonly<Record<ChartSignal["metric"], AlertChart["unit"]>> = {
  cpu: "ratio",
  memory: "ratio",
  rps: "number",
  latency: "ms",
  replicas: "number",
};
/** As many as a chart has room for. */
const MOST_POINTS = 240;

/** The notification with the series of its first alert that has one. */
export function withChart(
  notification: Notification,
  alerts: Iterable<AlertState>,
  series: SeriesReader,
): Notification {
  const listed = new Map(notification.alerts.map(({ fingerprint }, index) => [fingerprint, index]));
  const [first] = Array.from(alerts)
    .filter(({ fingerprint, signal }) => signal !== undefined && listed.has(fingerprint))
    .sort((a, b) => (listed.get(a.fingerprint) ?? 0) - (listed.get(b.fingerprint) ?? 0));
  const service = first?.labels["service"];
  if (first?.signal === undefined || service === undefined) return notification;
  const { metric, threshold } = first.signal;
  const points = series(service, metric);
  if (points === undefined || points.length < 2) return notification;
  const chart: AlertChart = {
    title: `${TITLES[metric]} of ${service}`,
    points: thinned(points),
    unit: UNITS[metric],
    ...(threshold === undefined ? {} : { threshold }),
  };
  return { ...notification, chart };
}

/** The highest of each stretch, so that no peak is lost. */
function thinned(points: AlertChart["points"]): AlertChart["points"] {
  if (points.length <= MOST_POINTS) return points;
  const size = Math.ceil(points.length / MOST_POINTS);
  return Array.from({ length: Math.ceil(points.length / size) }, (_, index) => {
    const stretch = points.slice(index * size, (index + 1) * size);
    return stretch.reduce((highest, point) => (point.value > highest.value ? point : highest));
  });
}
