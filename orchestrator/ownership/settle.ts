import type { ReplicaId, Service } from "../../core/types.ts";
import type { Attribution, Hand } from "./attribute.ts";
import type { Change } from "./look.ts";

export type ExternalChangePolicy = "adopt" | "restore" | "hold";

/** What becomes of a service whose count somebody else has changed. */
export interface Settlement {
  readonly policy: ExternalChangePolicy;
  /** The count from now on. */
  readonly to: number;
  /** Why it is left as it is; absent: the count is made so. */
  readonly hold?: string;
  /** All of it was stopped, and it is left alone until something of it runs again. */
  readonly leaves: boolean;
  /** Replicas that stay stopped. */
  readonly park: readonly ReplicaId[];
  readonly sentence: string;
}

/** Settles what somebody did by the service's policy. What was asked for since by rules or a person stands. */
export function settle(change: Change, { who, sentence }: Attribution): Settlement {
  const { service, desired, found, from, stopped } = change;
  const policy = policyOf(service, change, who);
  const park = policy === "restore" ? [] : stopped.map(({ id }) => id);
  const done = { policy, park, leaves: false };
  if (desired !== from) {
    return { ...done, to: desired, sentence: `${sentence}; ${desired} were asked for since, which stands` };
  }
  if (policy === "restore") return { ...done, to: desired, sentence: `${sentence}; put back to ${desired}` };
  if (change.kind === "stopped") {
    const hold = `${sentence}, all of it; left so until something of it is started`;
    return { ...done, to: desired, leaves: true, hold, sentence: hold };
  }
  if (policy === "hold") {
    const hold = `${sentence}; left at ${found}, not ${desired}, until it is scaled`;
    return { ...done, to: found, hold, sentence: hold };
  }
  const to = withinBounds(service, found);
  const within = to === found ? "" : `, the nearest to ${found} within its bounds`;
  return { ...done, to, sentence: `${sentence}; goes on from ${to}${within}` };
}

/** A service without rules has the count that compose gave it, and what somebody removes of it comes back. */
function policyOf(
  { scaling, global }: Service,
  { removed, whileAway }: Change,
  who: Hand,
): ExternalChangePolicy {
  if (global === true) return "restore";
  if (scaling !== undefined) return scaling.onExternalChange ?? "adopt";
  return removed.length > 0 && (who === "somebody" || whileAway) ? "restore" : "adopt";
}

function withinBounds({ scaling, singleReplicaReason }: Service, count: number): number {
  const most = singleReplicaReason === undefined ? Number.POSITIVE_INFINITY : 1;
  const { minReplicas, maxReplicas } = scaling ?? { minReplicas: 1, maxReplicas: most };
  return Math.min(Math.max(count, minReplicas), maxReplicas, most);
}
