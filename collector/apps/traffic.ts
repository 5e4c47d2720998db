import { type Bucket, histogramQuantile } from "./histogram-quantile.ts";
import { type Family, type Label, type MetricsText, parseMetricsText } from "./metrics-text.ts";
import { REQUEST_FAMILIES, type RequestFamily, requestLines } from "./request-families.ts";

/** What a replica's own counters say of the requests that it answered between two readings. */
export interface Traffic {
  readonly requestsPerSecond: number;
  /** At p95; absent when there were none, and where no histogram says how long they took. */
  readonly latencyMs?: number;
}

/** The counters of one page, and when it was read, on a clock that never goes back. */
export interface RequestReading {
  readonly atMonotonicMs: number;
  readonly family: RequestFamily;
  /** By labels. */
  readonly series: ReadonlyMap<string, RequestCounters>;
  /** Of readings before; a page that leaves a series out and shows it again later must not make it look new. */
  readonly vanished: ReadonlySet<string>;
}

export interface RequestCounters {
  readonly requests: number;
  /** In the order of their bounds; empty but for a histogram. */
  readonly buckets: readonly Bucket[];
}

/** More label sets than this are no description of requests. */
const MAX_SERIES = 20_000;
const QUANTILE = 0.95;
const NONE: RequestCounters = { requests: 0, buckets: [] };

/**
 * Undefined when nothing on the page counts requests. A label that says `ownPath` is of a request for the page itself,
 * which is not counted.
 */
export function requestReading(
  page: string,
  ownPath: string,
  atMonotonicMs: number,
): RequestReading | undefined {
  const parsed = parseMetricsText(requestLines(page), MAX_SERIES);
  if (parsed.droppedSeries > 0) return undefined;
  const chosen = chooseFamily(parsed);
  if (chosen === undefined) return undefined;
  const { family, read } = chosen;
  const isOwn = ({ value }: Label): boolean => value === ownPath && ownPath !== "/";
  const counted = read.series.filter(({ labels }) => !labels.some(isOwn));
  const series = countersOf({ ...read, series: counted });
  return series === undefined ? undefined : { atMonotonicMs, family, series, vanished: new Set() };
}

/** One that has counted before one that has only announced itself. */
function chooseFamily({ families, announced }: MetricsText) {
  for (const candidates of [families, announced]) {
    for (const family of REQUEST_FAMILIES) {
      const read = candidates.find(({ name, type }) => name === family.name && type === family.type);
      if (read !== undefined) return { family, read };
    }
  }
  return undefined;
}

/** Undefined when a value is no count. */
function countersOf({ name: family, type, series }: Family): Map<string, RequestCounters> | undefined {
  const counters = new Map<string, { requests: number | undefined; buckets: Bucket[] }>();
  for (const { name, labels, value } of series) {
    const suffix = name.slice(family.length);
    if (suffix === "_sum" || (type === "summary" && suffix === "")) continue;
    if (!(value >= 0 && value < Infinity)) return undefined;
    const key = JSON.stringify(labels.filter((label) => label.name !== "le"));
    const known = counters.get(key) ?? { requests: undefined, buckets: [] };
    counters.set(key, known);
    if (suffix === "_bucket") known.buckets.push({ upTo: boundOf(labels), count: value });
    else known.requests = value;
  }
  const complete = new Map<string, RequestCounters>();
  for (const [key, { requests, buckets }] of counters) {
    buckets.sort((a, b) => (a.upTo < b.upTo ? -1 : 1));
    const all = requests ?? buckets.at(-1)?.count;
    if (all === undefined || buckets.some(({ upTo }) => Number.isNaN(upTo))) return undefined;
    complete.set(key, { requests: all, buckets });
  }
  return complete;
}

function boundOf(labels: readonly Label[]): number {
  const text = labels.find(({ name }) => name === "le")?.value ?? "";
  if (/^\+?inf$/iu.test(text)) return Infinity;
  return text.trim() === "" ? Number.NaN : Number(text);
}

/**
 * Undefined without a reading before, over a gap longer than `maxGapMs`, and when the two cannot be compared: a counter
 * fell, buckets are others, a series is back after it was left out, or requests are counted under another name.
 */
export function trafficBetween(
  before: RequestReading | undefined,
  now: RequestReading,
  maxGapMs: number,
): Traffic | undefined {
  if (before === undefined || before.family !== now.family) return undefined;
  const elapsedMs = now.atMonotonicMs - before.atMonotonicMs;
  if (!(elapsedMs > 0 && elapsedMs <= maxGapMs)) return undefined;
  let requests = 0;
  const histograms: (readonly Bucket[])[] = [];
  for (const [key, counters] of now.series) {
    const added = before.vanished.has(key)
      ? undefined
      : countersBetween(before.series.get(key) ?? NONE, counters);
    if (added === undefined) return undefined;
    requests += added.requests;
    if (added.requests > 0) histograms.push(added.buckets);
  }
  const requestsPerSecond = (requests * 1_000) / elapsedMs;
  const latency = histogramQuantile(QUANTILE, sumOf(histograms));
  if (requests === 0 || latency === undefined) return { requestsPerSecond };
  return { requestsPerSecond, latencyMs: latency * (now.family.unitMs ?? 1) };
}

function countersBetween(before: RequestCounters, now: RequestCounters): RequestCounters | undefined {
  const requests = now.requests - before.requests;
  if (requests < 0) return undefined;
  // One that is new counts from 0.
  if (before === NONE) return now;
  if (!haveSameBounds(before.buckets, now.buckets)) return undefined;
  const buckets = now.buckets.map(({ upTo, count }, index) => ({
    upTo,
    count: count - (before.buckets[index]?.count ?? 0),
  }));
  return buckets.some(({ count }) => count < 0) ? undefined : { requests, buckets };
}

/** Empty when they have different bounds: nothing can then be said of all together. */
function sumOf(histograms: readonly (readonly Bucket[])[]): readonly Bucket[] {
  const [first = [], ...others] = histograms;
  if (!others.every((other) => haveSameBounds(first, other))) return [];
  return first.map(({ upTo, count }, index) => ({
    upTo,
    count: others.reduce((sum, other) => sum + (other[index]?.count ?? 0), count),
  }));
}

function haveSameBounds(a: readonly Bucket[], b: readonly Bucket[]): boolean {
  return a.length === b.length && a.every(({ upTo }, index) => upTo === b[index]?.upTo);
}

/** What is to be compared with the next reading. */
export function remembering(before: RequestReading | undefined, now: RequestReading): RequestReading {
  if (before?.family !== now.family) return now;
  const known = [...before.series.keys(), ...before.vanished];
  const vanished = new Set(known.filter((key) => !now.series.has(key)));
  // Who never shows the same twice is not remembered for ever.
  return vanished.size > MAX_SERIES ? now : { ...now, vanished };
}
