import { DAY_MS, MINUTE_MS, SECOND_MS } from "../../../core/units.ts";
import { type Floor, Forecast } from "../../../scaler/forecast/forecast.ts";

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
): { atMs: number; floor: Floor }[] {
  const floors: { atMs: number; floor: Floor }[] = [];
  for (let atMs = fromMs; atMs < toMs; atMs += MINUTE_MS) {
    floors.push({ atMs, floor: forecast.floor(atMs, SIZING) });
    forecast.record(atMs, atMs + MINUTE_MS, load(atMs));
  }
  return floors;
}

/** A service that has lived since that Monday. */
export function grown(load: Load, untilMs: number): Forecast {
  const forecast = new Forecast();
  live(forecast, MONDAY_MS, untilMs, load);
  return forecast;
}

/** 0 where there is none. */
export function demandOf(floor: Floor): number {
  return "demand" in floor ? floor.demand : 0;
}

/** Monday is 0. */
export function weekdayOf(atMs: number): number {
  return Math.floor((atMs - MONDAY_MS) / DAY_MS) % 7;
}

/** Between 0 and 1, another in each five minutes, and the same each time it is asked. */
export function jitter(atMs: number): number {
  const bucket = Math.floor((atMs - MONDAY_MS) / (5 * MINUTE_MS));
  const mixed = Math.sin(bucket * 12.9898) * 43_758.5453;
  return mixed - Math.floor(mixed);
}
