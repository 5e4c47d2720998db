import { parseBytes } from "../../core/units.ts";

/** Durations and sizes as compose files write them and as `docker compose config` prints them. */

const UNITS_NS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

const DURATION = /^[-+]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|[smh]))+$/u;
const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|[smh])/gu;

/** `1m30s` to nanoseconds; undefined for what is no duration. Days and weeks are none, as in docker compose. */
export function parseDurationNs(text: string): number | undefined {
  if (/^[-+]?0$/u.test(text)) return 0;
  if (!DURATION.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(PART)) total += Number(amount) * (UNITS_NS[unit ?? ""] ?? 0);
  return Math.trunc(text.startsWith("-") ? -total : total) + 0;
}

/** Nanoseconds as Go prints a duration: `1h0m0s`, `1m30s`, `1.5s`, `250ms`, `0s`. */
export function formatDurationNs(durationNs: number): string {
  if (durationNs === 0) return "0s";
  const sign = durationNs < 0 ? "-" : "";
  const size = Math.abs(durationNs);
  if (size < 1e3) return `${sign}${size}ns`;
  if (size < 1e6) return `${sign}${size / 1e3}µs`;
  if (size < 1e9) return `${sign}${size / 1e6}ms`;
  const hours = Math.floor(size / 3600e9);
  const minutes = Math.floor((size % 3600e9) / 60e9);
  const seconds = `${(size % 60e9) / 1e9}s`;
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${sign}${minutes}m${seconds}` : `${sign}${seconds}`;
}

/** `64m`, `1.5gb`, `1024` to bytes; powers of 1024. */
export function parseSize(text: string): number | undefined {
  const petabytes = /^(\d+(?:\.\d+)?)\s*p(?:i?b)?$/iu.exec(text.trim());
  return petabytes === null ? parseBytes(text) : Math.floor(Number(petabytes[1]) * 2 ** 50);
}

/** A boolean as compose files write it, or undefined. */
export function parseBoolean(text: string): boolean | undefined {
  if (/^(?:true|y|yes|on)$/iu.test(text)) return true;
  if (/^(?:false|n|no|off)$/iu.test(text)) return false;
  return undefined;
}
