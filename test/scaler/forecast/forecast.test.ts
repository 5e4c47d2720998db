import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../../../core/units.ts";
import { Forecast } from "../../../scaler/forecast/forecast.ts";
import { demandOf, grown, jitter, type Load, live, MONDAY_MS, SIZING, weekdayOf } from "./days.ts";

/** One replica's worth at night, eight by day: up from 9:00 to 17:00 sharp. */
const officeHours: Load = (atMs) => {
  const hour = (atMs % DAY_MS) / HOUR_MS;
  return hour >= 9 && hour < 17 ? 8 : 1;
};
/** The same from Monday to Friday, and quiet at the weekend. */
const officeWeek: Load = (atMs) => (weekdayOf(atMs) >= 5 ? 1 : officeHours(atMs));
const at = (day: number, hours: number) => MONDAY_MS + day * DAY_MS + hours * HOUR_MS;
/** A minute before nine, when the floor for nine stands. */
const ALMOST_NINE = 9 - 1 / 60;

describe("a load that comes back every day", () => {
  test("is met ahead by the time that a replica takes to start, and a margin", () => {
    const forecast = grown(officeHours, at(10, 9) - 2 * MINUTE_MS);
    const before = forecast.floor(at(10, 9) - 96 * SECOND_MS, SIZING);
    assert.ok(demandOf(before) <= 1, JSON.stringify(before));
    const floor = forecast.floor(at(10, 9) - 95 * SECOND_MS, SIZING);
    assert.ok(demandOf(floor) > 6, JSON.stringify(floor));
    assert.ok("forMs" in floor && floor.forMs === at(10, 9));
  });

  test("is forgotten again within ten minutes when it does not come", () => {
    const forecast = grown(officeHours, at(10, 9));
    const floors = live(forecast, at(10, 9), at(10, 12), () => 1);
    const high = floors.filter(({ floor }) => demandOf(floor) > 2);
    assert.ok(high.length > 0);
    assert.ok(high.every(({ atMs }) => atMs < at(10, 9) + 10 * MINUTE_MS));
  });

  test("is met where a trace has one value for each half hour", () => {
    const forecast = new Forecast();
    let floor = forecast.floor(at(0, 0), SIZING);
    for (let atMs = at(0, 0); atMs < at(10, 9); atMs += HOUR_MS / 2) {
      for (let step = 0; step < 6; step += 1) floor = forecast.floor(atMs + step * 5 * MINUTE_MS, SIZING);
      forecast.record(atMs, atMs + HOUR_MS / 2, officeHours(atMs));
    }
    floor = forecast.floor(at(10, 9) - 1, SIZING);
    assert.ok(demandOf(floor) > 6, JSON.stringify(floor));
  });
});

describe("a weekend is not a weekday", () => {
  test("and holds no floor beyond ten minutes, the eve of a Monday and of a Sunday being alike", () => {
    const forecast = grown(officeWeek, at(26, 0));
    const weekend = live(forecast, at(26, 0), at(28, ALMOST_NINE), officeWeek);
    const high = weekend.filter(({ floor }) => demandOf(floor) > 2);
    assert.ok(
      high.every(({ atMs }) => Math.abs((atMs % DAY_MS) - 9 * HOUR_MS) <= 10 * MINUTE_MS),
      high.map(({ atMs }) => new Date(atMs).toISOString()).join(),
    );
    assert.ok(demandOf(forecast.floor(at(28, ALMOST_NINE), SIZING)) > 6);
  });
});

describe("a holiday, a Wednesday that goes as a Sunday", () => {
  const holiday: Load = (atMs) => (atMs >= at(16, 0) && atMs < at(17, 0) ? 1 : officeWeek(atMs));
  const forecast = grown(holiday, at(16, 0));

  test("keeps no floor ten minutes after the load stayed away", () => {
    const floors = live(forecast, at(16, 0), at(17, 0), holiday);
    const high = floors.filter(({ floor }) => demandOf(floor) > 2);
    assert.ok(high.length <= 12, `${high.length} minutes`);
  });

  test("and is not taken for what Wednesdays are: the next one has its floor", () => {
    live(forecast, at(17, 0), at(23, ALMOST_NINE), holiday);
    assert.ok(demandOf(forecast.floor(at(23, ALMOST_NINE), SIZING)) > 6);
  });
});

describe("a load that changes for good", () => {
  test("by a fifth each week is expected at today's level, not at last week's", () => {
    const growing: Load = (atMs) => officeWeek(atMs) * 1.2 ** ((atMs - MONDAY_MS) / (7 * DAY_MS));
    const forecast = grown(growing, at(22, ALMOST_NINE));
    const floor = demandOf(forecast.floor(at(22, ALMOST_NINE), SIZING));
    const lastWeeks = growing(at(15, 9));
    assert.ok(floor > 0.9 * lastWeeks, `${floor} of ${lastWeeks}, and ${growing(at(22, 9))} now`);
  });

  test("at a launch, which triples it, is expected at its new level within three days", () => {
    const launched: Load = (atMs) => officeHours(atMs) * (atMs < at(14, 0) ? 1 : 3);
    const forecast = grown(launched, at(17, ALMOST_NINE));
    assert.ok(demandOf(forecast.floor(at(17, ALMOST_NINE), SIZING)) > 18);
  });

  test("by an hour, as the clocks of its users do, is expected at its new time within three days", () => {
    const summer: Load = (atMs) => officeHours(atMs < at(14, 0) ? atMs : atMs + HOUR_MS);
    const forecast = grown(summer, at(17, 8 - 1 / 60));
    assert.ok(demandOf(forecast.floor(at(17, 8 - 1 / 60), SIZING)) > 6);
    live(forecast, at(17, 8 - 1 / 60), at(17, ALMOST_NINE), summer);
    assert.ok(demandOf(forecast.floor(at(17, ALMOST_NINE), SIZING)) <= 8);
  });
});

describe("there is no floor, and why", () => {
  const none = (forecast: Forecast, atMs: number) => {
    const floor = forecast.floor(atMs, SIZING);
    return "none" in floor ? floor.none : floor;
  };

  test("with one day of history", () => {
    assert.equal(none(grown(officeHours, at(1, 8)), at(1, 8)), "too little history");
    assert.equal(none(new Forecast(), at(0, 0)), "too little history");
  });

  test("until the backtest has seen three days of forecasts", () => {
    assert.equal(none(grown(officeHours, at(4, 8)), at(4, 8)), "on trial");
    assert.ok(demandOf(grown(officeHours, at(6, 8)).floor(at(6, 8), SIZING)) >= 0);
  });

  test("where the load is noise: a floor would cost more than it is worth", () => {
    const noise: Load = (atMs) => 8 * jitter(atMs) ** 4;
    const forecast = grown(noise, at(14, 0));
    assert.equal(none(forecast, at(14, 0)), "does not pay");
    assert.equal(forecast.basis.verdict.days, 11);
  });

  test("where the rules alone leave no overload", () => {
    assert.equal(
      none(
        grown(() => 5, at(14, 0)),
        at(14, 0),
      ),
      "does not pay",
    );
  });

  test("again when a load that came back every day comes at any time", () => {
    const lost: Load = (atMs) => (atMs < at(10, 0) ? officeHours(atMs) : 8 * jitter(atMs) ** 4);
    assert.equal(none(grown(lost, at(27, 0)), at(27, 0)), "does not pay");
  });
});

describe("what was not seen", () => {
  test("for a day and a half takes no floor away that the days before speak for", () => {
    const gap: Load = (atMs) => (atMs >= at(8, 12) && atMs < at(10, 0) ? Number.NaN : officeHours(atMs));
    const forecast = grown(gap, at(12, ALMOST_NINE));
    assert.ok(demandOf(forecast.floor(at(12, ALMOST_NINE), SIZING)) > 6);
  });

  test("says nothing when it is everything of the last day", () => {
    const forecast = grown((atMs) => (atMs >= at(9, 0) ? Number.NaN : officeHours(atMs)), at(10, 8));
    assert.deepEqual(forecast.floor(at(10, 8), SIZING), { none: "too little history" });
  });
});

describe("a clock that is set back", () => {
  test("by two hours drops what was recorded of the time to come, and goes on", () => {
    const forecast = grown(officeHours, at(10, 12));
    const floors = live(forecast, at(10, 10), at(11, ALMOST_NINE), officeHours);
    assert.ok(floors.every(({ floor }) => demandOf(floor) <= 9));
    assert.ok(demandOf(forecast.floor(at(11, ALMOST_NINE), SIZING)) > 6);
  });

  test("by years begins anew", () => {
    const forecast = grown(officeHours, at(10, 12));
    live(forecast, at(-2000, 0), at(-2000, 1), officeHours);
    assert.deepEqual(forecast.floor(at(-2000, 1), SIZING), { none: "too little history" });
  });
});
