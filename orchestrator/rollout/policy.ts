import type { ReplicaTemplate, Service } from "../../core/types.ts";
import { MINUTE_MS, SECOND_MS } from "../../core/units.ts";
import type { Rollout } from "./rollout.ts";

export interface UpdatePolicy {
  readonly order: "start-first" | "stop-first";
  /** Why that order, for a person. */
  readonly orderReason: string;
  /** Start-first it would be, if there were room: what one replica more lacks. */
  readonly lack?: string;
  /** Replicas at a time; infinite: all. */
  readonly parallelism: number;
  readonly delayMs: number;
  readonly monitorMs: number;
  readonly maxFailureRatio: number;
  readonly failureAction: "pause" | "rollback" | "continue";
  readonly progressDeadlineMs: number;
}

const DEFAULT_MONITOR_MS = 5 * SECOND_MS;
const DEFAULT_PROGRESS_DEADLINE_MS = 10 * MINUTE_MS;

/**
 * How the service is rolled out: what its file says, and for the rest what its replicas can stand.
 * @param lack what one replica more needs and the host does not have; absent: it fits
 */
export function updatePolicy(
  service: Service,
  wanted: number,
  kind: Rollout["kind"],
  lack?: string,
): UpdatePolicy {
  const asked = (kind === "rollback" ? service.updates?.rollback : service.updates?.update) ?? {};
  const [order, orderReason] = orderOf(service, wanted, asked.order);
  const noRoom = order === "start-first" && lack !== undefined;
  const parallelism = asked.parallelism ?? 1;
  return {
    ...(noRoom
      ? { order: "stop-first", orderReason: `there is no room for one more beside them: one ${lack}`, lack }
      : { order, orderReason }),
    parallelism: parallelism === 0 ? Number.POSITIVE_INFINITY : parallelism,
    delayMs: asked.delayMs ?? 0,
    monitorMs: asked.monitorMs ?? DEFAULT_MONITOR_MS,
    maxFailureRatio: asked.maxFailureRatio ?? 0,
    // A rollback is never rolled back again.
    failureAction: kind === "rollback" ? "pause" : (asked.failureAction ?? "rollback"),
    progressDeadlineMs: asked.progressDeadlineMs ?? DEFAULT_PROGRESS_DEADLINE_MS,
  };
}

function orderOf(
  service: Service,
  wanted: number,
  asked: UpdatePolicy["order"] | undefined,
): [UpdatePolicy["order"], string] {
  if (service.global === true) return ["stop-first", "there is one on each node"];
  if (service.singleReplicaReason !== undefined)
    return ["stop-first", `it cannot have two replicas: ${service.singleReplicaReason}`];
  if (asked !== undefined) return [asked, "its file says so"];
  const range = tightPortRange(service.template, wanted);
  if (range !== undefined)
    return ["stop-first", `its host ports ${range} leave no room for one replica more`];
  const isMadeForOne = wanted <= 1 && (service.scaling?.maxReplicas ?? 1) <= 1;
  const writes = isMadeForOne ? writtenVolume(service.template) : undefined;
  if (writes !== undefined) return ["stop-first", `its only replica writes to ${writes}`];
  return ["start-first", "two of its replicas can stand side by side"];
}

function tightPortRange({ ports }: ReplicaTemplate, wanted: number): string | undefined {
  for (const { published } of ports) {
    const [first, last] = published?.split("-") ?? [];
    if (first !== undefined && last !== undefined && Number(last) - Number(first) < wanted) return published;
  }
  return undefined;
}

function writtenVolume({ mounts }: ReplicaTemplate): string | undefined {
  return mounts.find(({ type, source, readOnly }) => type !== "tmpfs" && source !== undefined && !readOnly)
    ?.source;
}
