import { beginRollback, type Rollout } from "./rollout.ts";
import type { Trial, Verdict } from "./trial.ts";

/** What the verdict makes of a rollout on trial. */
export function afterVerdict(rollout: Rollout, verdict: Verdict, nowMs: number): Rollout {
  switch (verdict.kind) {
    case "stay":
      return rollout;
    case "next":
      return withTrial(rollout, verdict.trial, nowMs);
    case "promote":
      return promoteTrial(rollout, nowMs);
    case "abort":
      return abortTrial(rollout, verdict.reason, nowMs);
  }
}

/** The trial goes on with another weight, for which further replicas may have to come. */
export function withTrial(rollout: Rollout, trial: Trial, nowMs: number): Rollout {
  return { ...rollout, trial, progressAtMs: nowMs };
}

/** From here on it is a rollout like any other, of which some replicas are new already. */
export function promoteTrial(rollout: Rollout, nowMs: number): Rollout {
  const { trial: _trial, ...rest } = rollout;
  return { ...rest, progressAtMs: nowMs };
}

/** Back to the template before; the count stays. */
export function abortTrial(rollout: Rollout, reason: string, nowMs: number): Rollout {
  return { ...beginRollback(rollout, reason, nowMs), quarantined: true };
}

/** Of the requests, by the hash of the template; undefined: each replica takes what any other takes. */
export function sharesOf({
  state,
  trial,
  quarantined,
  to,
  from,
}: Rollout): ReadonlyMap<string, number> | undefined {
  if (state === "done" || from === undefined) return undefined;
  const ratio = trial?.weightRatio ?? (quarantined === true ? 1 : undefined);
  if (ratio === undefined) return undefined;
  return new Map([
    [to.hash, ratio],
    [from.hash, 1 - ratio],
  ]);
}
