/**
 * Reading and writing quantities as people write them. Readers return undefined for what they cannot read; the
 * caller knows the place and says what was expected.
 */

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

const DURATION_UNITS_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: SECOND_MS,
  m: MINUTE_MS,
  h: HOUR_MS,
  d: DAY_MS,
  w: 7 * DAY_MS,
};

const DURATION = /^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|[smhdw]))+$/u;
const DURATION_PART = /(\d+(?:\.\d+)?)(ns|us|µs|ms|[smhdw])/gu;

/** `1h30m`, `90s`, `250ms` to milliseconds (the grammar Go, compose and Prometheus share); a bare `0` is zero. */
export function parseDurationMs(text: string): number | undefined {
  const trimmed = text.trim();
  if (trimmed === "0") return 0;
  if (!DURATION.test(trimmed)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit] of trimmed.matchAll(DURATION_PART)) {
    totalMs += Number(amount) * (DURATION_UNITS_MS[unit ?? ""] ?? Number.NaN);
  }
  return Number.isFinite(totalMs) ? totalMs : undefined;
}

/** Milliseconds as a person would say them: `250ms`, `15s`, `5m`, `1h30m`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 0) return `-${formatDuration(-durationMs)}`;
  if (Math.round(durationMs) < SECOND_MS) return `${Math.round(durationMs)}ms`;
  if (durationMs < 10 * SECOND_MS) return `${Number((durationMs / SECOND_MS).toFixed(1))}s`;
  let seconds = Math.round(durationMs / SECOND_MS);
  const parts: string[] = [];
  for (const [unit, size] of [
    ["d", 86_400],
    ["h", 3_600],
    ["m", 60],
    ["s", 1],
  ] as const) {
    const count = Math.floor(seconds / size);
    if (count > 0) parts.push(`${count}${unit}`);
    seconds -= count * size;
  }
  return parts.slice(0, 2).join("");
}

const BYTE_UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 2 ** 10,
  kb: 2 ** 10,
  kib: 2 ** 10,
  m: 2 ** 20,
  mb: 2 ** 20,
  mib: 2 ** 20,
  g: 2 ** 30,
  gb: 2 ** 30,
  gib: 2 ** 30,
  t: 2 ** 40,
  tb: 2 ** 40,
  tib: 2 ** 40,
};

const BYTES = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/iu;

/** `512m`, `1.5gb`, `1024` to bytes; units are powers of 1024, as compose and Docker read them. */
export function parseBytes(text: string): number | undefined {
  const match = BYTES.exec(text.trim());
  if (match === null) return undefined;
  const unit = BYTE_UNITS[(match[2] ?? "").toLowerCase()] ?? Number.NaN;
  const bytes = Math.floor(Number(match[1]) * unit);
  return Number.isFinite(bytes) ? bytes : undefined;
}

/** Bytes as `512 MiB`, with at most one decimal. */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const rounded = (value: number) => Number(value.toFixed(1));
  let value = bytes;
  let unit = 0;
  while (Math.abs(rounded(value)) >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${rounded(value)} ${units[unit] ?? "B"}`;
}

/** 0.714 as `71 %`: percent is for people only. */
export function formatPercent(ratio: number): string {
  return `${Math.round(ratio * 100)} %`;
}
