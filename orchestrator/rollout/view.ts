import type { ObservedReplica, Service, ServiceId } from "../../core/types.ts";
import { describeRevision } from "./describe.ts";
import { updatePolicy } from "./policy.ts";
import { isOld, type Rollout } from "./rollout.ts";

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
  readonly sentence: string;
}

export function rolloutView(
  rollout: Rollout,
  service: Service,
  replicas: readonly ObservedReplica[],
  wanted: number,
  /** What one replica more lacks on the host. */
  lack?: string,
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
  return { ...view, sentence: sentenceOf(rollout, service, updated, wanted, lack) };
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
