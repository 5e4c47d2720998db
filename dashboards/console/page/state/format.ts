import { formatBytes, formatDuration, SECOND_MS } from "../../../../core/units.ts";

/** What a person reads where nothing is known. */
export const UNKNOWN = "–";

export function percentText(ratio: number | undefined): string {
  return ratio === undefined ? UNKNOWN : `${Math.round(ratio * 100)}`;
}

export function coresText(cores: number | undefined): string {
  if (cores === undefined) return UNKNOWN;
  return cores < 10 ? cores.toFixed(2) : cores.toFixed(1);
}

export function bytesText(bytes: number | undefined): string {
  return bytes === undefined ? UNKNOWN : formatBytes(bytes);
}

/** `now`, `12s`, `3m`, `2h`, `4d`: one unit is enough for what is past. */
export function ageText(ageMs: number): string {
  if (ageMs < SECOND_MS) return "now";
  return /^\d+[a-z]+/.exec(formatDuration(Math.floor(ageMs / SECOND_MS) * SECOND_MS))?.[0] ?? UNKNOWN;
}

/** Of a clock on the wall, where the page is. */
export function timeText(atMs: number): string {
  return new Date(atMs).toLocaleTimeString("en-GB");
}

/** Of a calendar where the page is. */
export function dayText(atMs: number): string {
  return new Date(atMs).toLocaleDateString("en-CA");
}

/** With the day, where it is not this one. */
export function momentText(atMs: number, today: string): string {
  const day = dayText(atMs);
  return day === today ? timeText(atMs) : `${day} ${timeText(atMs)}`;
}

/** A level in the unit of its metric. */
export function levelText(metric: string, level: number | undefined): string {
  if (level === undefined) return UNKNOWN;
  if (metric === "cpu" || metric === "memory") return `${Math.round(level * 100)} %`;
  if (metric === "latency") return formatDuration(level);
  return level.toLocaleString("en", { maximumFractionDigits: 2 });
}

export function boundsText(min: number | undefined, max: number | undefined): string {
  return min === undefined || max === undefined ? "" : `${min}–${max}`;
}

export function countText(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}
