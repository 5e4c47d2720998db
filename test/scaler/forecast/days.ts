import { MINUTE_MS, SECOND_MS } from "../../../core/units.ts";
import type { Floor, Forecast } from "../../../scaler/forecast/forecast.ts";

/** A Monday, 0:00 UTC. */
export const MONDAY_MS = Date.UTC(2026, 10, 2);
export const SIZING = { capacity: 1, targetRatio: 0.7, startMs: 90 * SECOND_MS };

/** A load as it is at each instant; NaN where it was not seen. */
export type Load = (atMs: number) => number;

/** Lets a service live through a time, minute by minute, and gives the floor that each minute began with. */
export function live(
  forecast: Forecast,
  fromMs: number,
  toMs: number,
  load: Load,
  sizing = SIZING,
): { atMs: number; floor: Floor }[] {
  const floors: { atMs: number; floor: Floor }[] = [];
  for (let atMs = fromMs; atMs < toMs; atMs += MINUTE_MS) {
    floors.push({ atMs, floor: forecast.floor(atMs, sizing) });
    forecast.record(atMs, atMs + MINUTE_MS, load(atMs));
  }
  return floors;
}
