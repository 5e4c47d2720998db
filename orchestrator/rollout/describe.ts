import type { Revision, Rollout } from "./rollout.ts";

/** Where the rollout leads, as `to revision 3`. */
export function describeWay({ kind, to }: Rollout): string {
  if (to.number === undefined) return "its definition has changed";
  return kind === "rollback" ? `back to ${describeRevision(to)}` : `to ${describeRevision(to)}`;
}

export function describeRevision({ number, hash }: Revision): string {
  return number === undefined ? `template ${hash.slice(0, 8)}` : `revision ${number}`;
}
