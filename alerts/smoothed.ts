import { SECOND_MS } from "../core/units.ts";
import type { ServiceFacts } from "./facts.ts";

type Levels = ServiceFacts["levels"];

/** One reading says little of a service: what is compared is the mean of so long. */
const WINDOW_MS = 10 * SECOND_MS;

/** The levels of services as means over the last seconds. What is not known now is not known. */
export class SmoothedLevels {
  #readings = new Map<string, readonly { readonly atMs: number; readonly levels: Levels }[]>();

  apply(services: readonly ServiceFacts[], nowMs: number): readonly ServiceFacts[] {
    const before = this.#readings;
    this.#readings = new Map();
    return services.map((service) => {
      const { id, levels } = service;
      const kept = (before.get(id) ?? []).filter(({ atMs }) => atMs <= nowMs && nowMs - atMs < WINDOW_MS);
      const readings = [...kept, { atMs: nowMs, levels }];
      this.#readings.set(id, readings);
      return { ...service, levels: meansOf(levels, readings) };
    });
  }
}

function meansOf(now: Levels, readings: readonly { readonly levels: Levels }[]): Levels {
  const metrics = Object.keys(now) as (keyof Levels)[];
  return Object.fromEntries(
    metrics.map((metric) => {
      const values = readings.flatMap(({ levels }) => levels[metric] ?? []);
      return [metric, values.reduce((sum, value) => sum + value, 0) / values.length];
    }),
  );
}
