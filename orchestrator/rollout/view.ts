import type { ObservedReplica, Service, ServiceId } from "../../core/types.ts";
import { formatPercent } from "../../core/units.ts";
import { describeRevision } from "./describe.ts";
import { updatePolicy } from "./policy.ts";
import { isOld, type Rollout } from "./rollout.ts";
import { coloursOf, type Trial } from "./trial.ts";

/** How far a service's rollout is, for people and programs. */
export interface RolloutView {
  readonly service: ServiceId;
  readonly state: "updating" | "rolling back" | "paused" | "done" | "rolled back";
  /** The template it leads to, or has led to. */
  readonly revision?: number;
  readonly templateHash: string;
  readonly previousRevision?: number;
  readonly previousTemplateHash?: string;
  /** Replicas of the new template that have proven healthy. */
  readonly updated: number;
  readonly total: number;
  readonly failures: number;
  readonly startedAtMs: number;
  readonly endedAtMs?: number;
  readonly reason?: string;
  readonly trial?: TrialView;
  readonly sentence: string;
}

/** Two templates side by side. */
export interface TrialView {
  readonly kind: Trial["kind"];
  /** Share of the requests that go to the new one. */
  readonly weightRatio: number;
  /** The weights after it. */
  readonly nextRatios: readonly number[];
  /** Replicas that there are of each, and that there should be. */
  readonly fresh: Count;
  readonly old: Count;
  /** Before it goes on. */
  readonly waitsFor?: string;
}

interface Count {
  readonly replicas: number;
  readonly wanted: number;
}

export function rolloutView(
  rollout: Rollout,
  service: Service,
  replicas: readonly ObservedReplica[],
  wanted: number,
  /** What one replica more lacks on the host. */
  lack?: string,
  /** What a trial waits for. */
  waitsFor?: string,
): RolloutView {
  const { to, from, failed, startedAtMs, endedAtMs, reason } = rollout;
  const isDone = rollout.state === "done";
  const current = replicas.filter((one) => one.state !== "stopping" && !isOld(one, to.hash));
  const updated = isDone ? current.filter(({ state }) => state === "running").length : rollout.settled.length;
  const view = {
    service: rollout.service,
    state: stateOf(rollout),
    ...(to.number === undefined ? {} : { revision: to.number }),
    templateHash: to.hash,
    ...(from?.number === undefined ? {} : { previousRevision: from.number }),
    ...(from === undefined ? {} : { previousTemplateHash: from.hash }),
    updated,
    total: wanted,
    failures: failed.length,
    startedAtMs,
    ...(endedAtMs === undefined ? {} : { endedAtMs }),
    ...(reason === undefined ? {} : { reason }),
  };
  const trial = trialView(rollout, replicas, wanted, waitsFor);
  if (trial !== undefined) return { ...view, trial, sentence: trialSentence(rollout, trial) };
  return { ...view, sentence: sentenceOf(rollout, service, updated, wanted, lack) };
}

function trialView(
  { trial, to }: Rollout,
  replicas: readonly ObservedReplica[],
  wanted: number,
  waitsFor: string | undefined,
): TrialView | undefined {
  if (trial === undefined) return undefined;
  const { kind, weightRatio, nextRatios } = trial;
  const targets = coloursOf(trial, wanted);
  const present = replicas.filter(({ state }) => state !== "stopping");
  const old = present.filter((one) => isOld(one, to.hash)).length;
  return {
    kind,
    weightRatio,
    nextRatios,
    fresh: { replicas: present.length - old, wanted: targets.fresh },
    old: { replicas: old, wanted: targets.old },
    ...(waitsFor === undefined ? {} : { waitsFor }),
  };
}

function trialSentence({ to, from }: Rollout, trial: TrialView): string {
  const { kind, weightRatio, nextRatios, fresh, old, waitsFor } = trial;
  const before = from === undefined ? "the template before" : describeRevision(from);
  const next = nextRatios.length === 0 ? "" : `, then ${nextRatios.map(formatPercent).join(", ")}`;
  const waits = waitsFor === undefined ? "" : `; it waits for ${waitsFor}`;
  return `${kind}: ${describeRevision(to)} gets ${formatPercent(weightRatio)} of the requests${next}, with ${fresh.replicas} of ${fresh.wanted} replicas, beside ${old.replicas} of ${old.wanted} of ${before}${waits}`;
}

function stateOf({ state, kind }: Rollout): RolloutView["state"] {
  if (state === "paused") return state;
  if (kind === "rollback") return state === "done" ? "rolled back" : "rolling back";
  return state;
}

function sentenceOf(
  rollout: Rollout,
  service: Service,
  updated: number,
  wanted: number,
  lack: string | undefined,
): string {
  const { to, from, reason, state, kind } = rollout;
  const because = reason === undefined ? "" : `: ${reason}`;
  const [target, before] = [
    describeRevision(to),
    from === undefined ? "" : ` from ${describeRevision(from)}`,
  ];
  if (state === "done" && kind === "rollback") return `rolled back to ${target}${before}${because}`;
  if (state === "done") return `all replicas are of ${target}`;
  const share = `${updated} of ${wanted} replicas have proven healthy`;
  if (state === "paused") return `paused on the way${before} to ${target}, ${share}${because}`;
  if (kind === "first") return `starting with ${target}: ${share}`;
  const { order, orderReason } = updatePolicy(service, wanted, kind, lack);
  const way = `${share}; ${order}, because ${orderReason}`;
  if (kind === "rollback") return `rolling back to ${target}${before}${because}; ${way}`;
  return `updating${before} to ${target}: ${way}`;
}
