import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../../../core/units.ts";
import { Forecast } from "../../../scaler/forecast/forecast.ts";
import { live, MONDAY_MS, SIZING } from "./days.ts";

/** One replica's worth at night, eight by day: up from 9:00 to 17:00 sharp. */
function officeHours(atMs: number): number {
  const hour = (atMs % DAY_MS) / HOUR_MS;
  return hour >= 9 && hour < 17 ? 8 : 1;
}

describe("a load that comes back every day", () => {
  const forecast = new Forecast();
  const nineMs = MONDAY_MS + 10 * DAY_MS + 9 * HOUR_MS;
  live(forecast, MONDAY_MS, nineMs - 10 * MINUTE_MS, officeHours);

  test("is met ahead by the time that a replica takes to start, and a margin", () => {
    live(forecast, nineMs - 10 * MINUTE_MS, nineMs - 2 * MINUTE_MS, officeHours);
    const before = forecast.floor(nineMs - 106 * SECOND_MS, SIZING);
    assert.ok("demand" in before && before.demand <= 1, JSON.stringify(before));
    const floor = forecast.floor(nineMs - 105 * SECOND_MS, SIZING);
    assert.ok("demand" in floor && floor.demand > 6, JSON.stringify(floor));
    assert.equal(floor.forMs, nineMs);
  });
});
