import { InvalidArgumentError } from "commander";
import { parseDurationMs } from "../core/units.ts";

/** What was typed as an argument, read. Each reader throws commander's error, which ends in a usage message. */

export interface ScaleTarget {
  readonly service: string;
  readonly replicas: number;
}

const MOST_REPLICAS = 100_000;
const MOST_DECISIONS = 1_000;

/** For options that may be given several times. */
export function collect(value: string, previous: readonly string[] = []): string[] {
  return [...previous, value];
}

/** `web=3`, added to those before it. */
export function readScaleTarget(text: string, previous: readonly ScaleTarget[] = []): ScaleTarget[] {
  const [, service, count] = /^(.+)=(\d{1,6})$/.exec(text) ?? [];
  const replicas = Number(count);
  if (service === undefined || replicas > MOST_REPLICAS) {
    throw new InvalidArgumentError(`Expected SERVICE=N with N from 0 to ${MOST_REPLICAS}, as web=3.`);
  }
  if (previous.some((target) => target.service === service)) {
    throw new InvalidArgumentError(`${service} was given twice.`);
  }
  return [...previous, { service, replicas }];
}

/** How many decisions to show. */
export function readCount(text: string): number {
  const count = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > MOST_DECISIONS) {
    throw new InvalidArgumentError(`Expected a whole number from 1 to ${MOST_DECISIONS}.`);
  }
  return count;
}

const LEAST_INTERVAL_MS = 100;
const MOST_INTERVAL_MS = 60_000;

/** How often to read: a duration from 100 ms to a minute, in milliseconds. */
export function readInterval(text: string): number {
  const intervalMs = parseDurationMs(text);
  if (intervalMs === undefined || intervalMs < LEAST_INTERVAL_MS || intervalMs > MOST_INTERVAL_MS) {
    throw new InvalidArgumentError("Expected a duration from 100ms to 1m, as 1s.");
  }
  return intervalMs;
}

const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** An instant: RFC 3339, milliseconds since 1970 UTC, or how long ago, as `10m`. */
export function readInstantMs(text: string, nowMs: number): number {
  const agoMs = parseDurationMs(text);
  const atMs = /^\d{5,16}$/.test(text)
    ? Number(text)
    : RFC_3339.test(text)
      ? Date.parse(text)
      : agoMs === undefined
        ? Number.NaN
        : Math.round(nowMs - agoMs);
  if (Number.isNaN(new Date(atMs).getTime()) || atMs < 0) {
    throw new InvalidArgumentError("Expected an instant, as 2026-11-21T08:00:00Z, or how long ago, as 10m.");
  }
  return atMs;
}
