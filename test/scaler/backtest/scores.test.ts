import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Load } from "../../../scaler/backtest/load.ts";
import { type Scores, scoresOf } from "../../../scaler/backtest/scores.ts";
import { seriesOf } from "../../../scaler/backtest/series.ts";
import { simulate } from "../../../scaler/backtest/simulate.ts";
import { loadOfDemand, prompt, scripted, situationOf } from "./situations.ts";

function close(actual: Scores, expected: Partial<Scores>): void {
  for (const [name, value] of Object.entries(expected)) {
    const found = actual[name as keyof Scores];
    assert.ok(Math.abs(found - value) < 1e-9, `${name}: expected ${value}, got ${found}`);
  }
}

describe("the scores", () => {
  test("of a load that jumps and falls, as computed by hand", () => {
    // Demanded are 1 1 3 3 1 1. The order of the jump serves a step later, so 1 1 1 3 1 1 serve.
    const run = simulate(situationOf(loadOfDemand([0.4, 0.4, 2, 2, 0.4, 0.4])), prompt());
    assert.deepEqual([...run.serving], [1, 1, 1, 3, 1, 1]);
    close(scoresOf(run), {
      overloadPercent: (100 * 1.2) / 5.6, // 2 asked of one replica, which does 0.8; 5.6 asked in all
      cost: 8 / 10,
      thetaU: (100 * (2 / 3)) / 6,
      thetaO: 0,
      tauU: 100 / 6,
      tauO: 0,
      adaptationsPerHour: 2 * 120, // two in half a minute
      reversalsPerHour: 120,
      meanReplicas: 8 / 6,
      hours: 1 / 120,
    });
  });

  test("of too many replicas", () => {
    const run = simulate(situationOf(loadOfDemand([0.8, 0.8, 1.6, 1.6])), scripted(4, 4, 4, 4));
    // Demanded are 1 1 2 2; 4 are ordered at once, and serve from the second step: 1 4 4 4.
    close(scoresOf(run), {
      overloadPercent: 0,
      cost: 13 / 6,
      thetaO: (100 * (3 + 1 + 1)) / 4,
      tauO: 75,
      thetaU: 0,
      tauU: 0,
      adaptationsPerHour: 0,
    });
  });

  test("count no demand at all as no overload", () => {
    const run = simulate(situationOf(loadOfDemand([0, 0])), scripted(1, 1));
    close(scoresOf(run), { overloadPercent: 0, cost: 1, thetaO: 0, tauO: 0 });
  });

  test("do not count what is history", () => {
    const load: Load = { ...loadOfDemand([0.4, 8, 8, 0.4, 0.4, 2]), scoredFrom: 3 };
    const run = simulate(situationOf(load), scripted(1, 1, 1, 1, 1, 1));
    close(scoresOf(run), { overloadPercent: (100 * 1.2) / 2.8, tauU: 100 / 3, hours: 15 / 3_600 });
  });

  test("call only a change of direction a reversal", () => {
    const script = [1, 2, 3, 3, 2, 1, 1, 2];
    const run = simulate(situationOf(loadOfDemand(script.map(() => 0.4))), scripted(...script));
    // Changes: up up down down up.
    close(scoresOf(run), { adaptationsPerHour: 5 * (3_600 / 40), reversalsPerHour: 2 * (3_600 / 40) });
  });

  test("can be computed again from the series alone", () => {
    const demand = Array.from(
      { length: 25_000 },
      (_, step) => 4 + 4 * Math.sin(step / 50) + ((step * 7) % 11) / 5,
    );
    const load: Load = { ...loadOfDemand(demand), scoredFrom: 1_000 };
    const run = simulate(situationOf(load, { startDelayMs: 20_000 }), prompt());
    close(recomputed([...seriesOf(run)].join("")), scoresOf(run));
  });
});

/** As somebody else would do it, who has the file and the definitions. */
function recomputed(csv: string): Scores {
  const [header, ...lines] = csv.trimEnd().split("\n");
  assert.equal(header, "t,demand,ordered,serving");
  const rows = lines.map((line) => {
    const [t = Number.NaN, d = Number.NaN, ordered = Number.NaN, s = Number.NaN] = line
      .split(",")
      .map(Number);
    return { t, d, ordered, s, r: Math.max(1, Math.ceil(d / 0.8)) };
  });
  const mean = (of: (row: (typeof rows)[number]) => number) =>
    rows.reduce((sum, row) => sum + of(row), 0) / rows.length;
  const stepSeconds = (rows[1]?.t ?? 0) - (rows[0]?.t ?? 0);
  assert.deepEqual([rows[0]?.t, stepSeconds, rows.length], [5_000, 5, 24_000]);
  const hours = (rows.length * stepSeconds) / 3_600;
  const changes = rows
    .map(({ ordered }, index) => Math.sign(ordered - (rows[index - 1]?.ordered ?? ordered)))
    .filter((change) => change !== 0);
  const reversals = changes.filter((change, index) => index > 0 && change !== changes[index - 1]);
  return {
    overloadPercent: (100 * mean(({ d, s }) => Math.max(d - 0.8 * s, 0))) / mean(({ d }) => d),
    cost: mean(({ s }) => s) / mean(({ r }) => r),
    thetaU: 100 * mean(({ r, s }) => Math.max(r - s, 0) / r),
    thetaO: 100 * mean(({ r, s }) => Math.max(s - r, 0) / r),
    tauU: 100 * mean(({ r, s }) => (r > s ? 1 : 0)),
    tauO: 100 * mean(({ r, s }) => (s > r ? 1 : 0)),
    adaptationsPerHour: changes.length / hours,
    reversalsPerHour: reversals.length / hours,
    meanReplicas: mean(({ s }) => s),
    hours,
  };
}
