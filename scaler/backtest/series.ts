import { SECOND_MS } from "../../core/units.ts";
import type { Run } from "./simulate.ts";

const ROWS_PER_CHUNK = 10_000;

/**
 * The scored steps as CSV, in chunks: `t` in seconds as in the trace, `demand` in replica-units, and the replicas
 * `ordered` and `serving` during the step. Every score can be computed from these rows alone.
 */
export function* seriesOf({ load, ordered, serving }: Run): Generator<string> {
  const { startMs, stepMs, demand, scoredFrom } = load;
  let rows = ["t,demand,ordered,serving"];
  for (let step = scoredFrom; step < demand.length; step += 1) {
    const seconds = (startMs + step * stepMs) / SECOND_MS;
    rows.push(`${seconds},${demand[step]},${ordered[step]},${serving[step]}`);
    if (rows.length < ROWS_PER_CHUNK) continue;
    yield `${rows.join("\n")}\n`;
    rows = [];
  }
  if (rows.length > 0) yield `${rows.join("\n")}\n`;
}
