import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../../core/units.ts";
import { type Load, loadOf } from "../../scaler/backtest/load.ts";
import { parseTrace, traceOf } from "../../scaler/backtest/trace.ts";

export interface NamedLoad {
  readonly name: string;
  readonly load: Load;
}

const ROOT = join(import.meta.dirname, "../..");
const DEFAULT_FOLDER = "../shared/traces";

/** Every trace of the folder in `TRACES`; made-up ones where there is no such folder. */
export function benchLoads(say: (line: string) => void): NamedLoad[] {
  const folder = resolve(ROOT, process.env["TRACES"] || DEFAULT_FOLDER);
  if (!existsSync(folder)) {
    say(
      `there is no folder ${folder} (set TRACES to one of CSV files): made-up traces are used in its place`,
    );
    return madeUpLoads();
  }
  const files = readdirSync(folder).filter((file) => file.endsWith(".csv"));
  return files.sort().map((file) => {
    const trace = parseTrace(readFileSync(join(folder, file), "utf8"), file);
    return { name: file.replace(/\.csv$/, ""), load: loadOf(trace, "auto") };
  });
}

function madeUpLoads(): NamedLoad[] {
  return [
    {
      name: "made-up days",
      load: madeUp({ seed: 1, stepMs: 5 * MINUTE_MS, lengthMs: 28 * DAY_MS, noise: 0.05, bursts: 0 }),
    },
    {
      name: "made-up bursts",
      load: madeUp({ seed: 2, stepMs: MINUTE_MS, lengthMs: 14 * DAY_MS, noise: 0.2, bursts: 0.002 }),
    },
    {
      name: "made-up seconds",
      load: madeUp({ seed: 3, stepMs: SECOND_MS, lengthMs: HOUR_MS, noise: 0.5, bursts: 0.005 }),
    },
  ];
}

export interface Recipe {
  readonly seed: number;
  readonly stepMs: number;
  readonly lengthMs: number;
  /** Each sample lies within this share of the expected. */
  readonly noise: number;
  /** How likely a burst of three times the load begins at a sample. */
  readonly bursts: number;
}

/** Busy days and quiet nights, with noise and bursts on top; always the same for the same seed. */
export function madeUp({ seed, stepMs, lengthMs, noise, bursts }: Recipe): Load {
  const random = randomOf(seed);
  const count = Math.floor(lengthMs / stepMs);
  const timesMs = Float64Array.from({ length: count }, (_, index) => index * stepMs);
  let left = 0;
  const values = timesMs.map((atMs) => {
    if (left === 0 && random() < bursts) left = 1 + Math.floor(random() * 20);
    const factor = left > 0 ? 3 : 1;
    left = Math.max(0, left - 1);
    const time = 1.2 - Math.cos((2 * Math.PI * atMs) / DAY_MS);
    return 100 * time * factor * (1 + noise * (2 * random() - 1));
  });
  return loadOf(traceOf(`made up of seed ${seed}`, timesMs, values), "auto");
}

/** Around so many replica-units, each second within a share of them. */
export function steadyLoad(units: number, noise: number, lengthMs: number, seed: number): Load {
  const random = randomOf(seed);
  const demand = Float64Array.from(
    { length: lengthMs / SECOND_MS },
    () => units * (1 + noise * (2 * random() - 1)),
  );
  return { startMs: 0, stepMs: SECOND_MS, demand, scoredFrom: 0, capacity: 1 };
}

/** So much before the step, so much from then on, second by second. */
export function stepLoad(before: number, after: number, stepAtMs: number, lengthMs: number): Load {
  const demand = Float64Array.from({ length: lengthMs / SECOND_MS }, (_, second) =>
    second * SECOND_MS < stepAtMs ? before : after,
  );
  return { startMs: 0, stepMs: SECOND_MS, demand, scoredFrom: 0, capacity: 1 };
}

/** Numbers from 0 to 1, the same for the same seed: mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
