import type { Arena } from "./arena.ts";
import { type ChaosPlan, nextPlan, type PlanKind } from "./plans.ts";
import type { Random } from "./random.ts";
import type { Tally } from "./tally.ts";

/** What a disturbance works with. */
export interface Stage {
  readonly arena: Arena;
  readonly random: Random;
  readonly points: number;
  readonly tally: Tally;
}

/** Roughly how long each plan takes on a Docker Engine, so that most of what comes at a random time is in the middle of it. */
export const TAKES_MS: Readonly<Record<PlanKind, number>> = {
  apply: 2_000,
  out: 1_200,
  in: 900,
  update: 5_000,
  remove: 1_500,
};

/** Asks for one plan after the other, disturbs each, and has the judge look. */
export async function disturbPlans(
  { arena, random, points, tally }: Stage,
  limitMs: number,
  disturb: (plan: ChaosPlan) => Promise<string>,
): Promise<void> {
  for (let point = 1; point <= points; point += 1) {
    const plan = nextPlan(random, arena.wanted);
    const asked = arena.ask(plan);
    const done = await disturb(plan);
    const acceptable: [typeof plan.to, ...(typeof plan.to)[]] = (await asked)
      ? [plan.to]
      : [plan.to, plan.from];
    const what = arena.told(`${tally.disturbance} ${point}`, plan, done);
    tally.recovered(await arena.settle(acceptable, what, limitMs), what);
  }
}
