import type { Random } from "./random.ts";

/** What the project of a chaos run should be: so many of `web`, one `db`, all of one version. None of `web`: no project. */
export interface Wanted {
  readonly web: number;
  readonly version: number;
}

export type PlanKind = "apply" | "out" | "in" | "update" | "remove";

/** One change that is asked of the daemon. */
export interface ChaosPlan {
  readonly kind: PlanKind;
  readonly from: Wanted;
  readonly to: Wanted;
}

/** What `deploy.replicas` says: where a project that is applied anew starts. */
export const APPLIED_REPLICAS = 3;
const MOST_REPLICAS = 6;
const LEAST_REPLICAS = 1;

export function nextPlan(random: Random, from: Wanted): ChaosPlan {
  if (from.web === 0) return { kind: "apply", from, to: { ...from, web: APPLIED_REPLICAS } };
  const chance = random.next();
  if (chance < 0.1) return { kind: "remove", from, to: { ...from, web: 0 } };
  if (chance < 0.4) return { kind: "update", from, to: { ...from, version: from.version + 1 } };
  const goesIn = from.web === MOST_REPLICAS || (from.web > 2 && chance < 0.7);
  const web = goesIn
    ? random.between(LEAST_REPLICAS, from.web - 1)
    : random.between(from.web + 1, MOST_REPLICAS);
  return { kind: goesIn ? "in" : "out", from, to: { ...from, web } };
}

/** So many of `web` run at every moment of the plan, whenever the daemon is killed. */
export function floorOf({ from, to }: ChaosPlan): number {
  return Math.min(from.web, to.web);
}

export function describePlan({ kind, from, to }: ChaosPlan): string {
  return kind === "update"
    ? `an update of ${from.web} from version ${from.version} to ${to.version}`
    : `${{ apply: "an apply", out: "a scale-out", in: "a scale-in", remove: "a removal" }[kind]} from ${from.web} to ${to.web}`;
}
