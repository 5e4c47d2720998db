import type { Bench, Figure } from "./figure.ts";
import { benchCrowds } from "./orchestrator-crowd.ts";
import { benchFloor } from "./orchestrator-floor.ts";
import { benchReconcile } from "./reconcile.ts";

/** How soon the orchestrator does what was decided: on real engines, and with more replicas than this machine has room for. */
export const benchOrchestrator: Bench = async (say, options) => {
  const figures: Figure[] = [];
  for (const bench of [benchFloor, benchCrowds, benchReconcile]) figures.push(...(await bench(say, options)));
  return figures;
};
