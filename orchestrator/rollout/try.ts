import { FlyballError } from "../../core/errors.ts";
import type { ObservedReplica, Service, ServiceId } from "../../core/types.ts";
import { cloneSource } from "../reconcile/clone-source.ts";
import { updatePolicy } from "./policy.ts";
import type { Rollout } from "./rollout.ts";
import { beginTrial, type TrialRequest } from "./trial.ts";

/**
 * The rollout that begins, on trial; one of a service that is new has nothing to stand beside, and is as it was.
 * @throws FlyballError NOT_SCALABLE when two templates of the service cannot stand side by side, TRIAL_REFUSED when
 * there is nothing yet that has proven itself
 */
export function onTrial(
  rollout: Rollout,
  request: TrialRequest,
  {
    service,
    current,
    replicasOf,
  }: {
    readonly service: Service;
    readonly current: Rollout | undefined;
    readonly replicasOf: (id: ServiceId) => readonly ObservedReplica[];
  },
): Rollout {
  if (rollout.kind === "first") return rollout;
  const { id } = service;
  const refused = (why: string) => new FlyballError("TRIAL_REFUSED", `${id} cannot be tried: ${why}`);
  if (cloneSource(replicasOf(id)) !== undefined)
    throw refused("compose made its replicas, and updates them itself");
  // What the file says of updates in place is about those that nobody compares.
  const { updates: _updates, ...plain } = service;
  const { order, orderReason } = updatePolicy(plain, replicasOf(id).length, "update");
  if (order === "stop-first") throw new FlyballError("NOT_SCALABLE", `${id} cannot be tried: ${orderReason}`);
  if (current?.trial !== undefined) throw refused("another trial is under way; promote or abort it first");
  if (current?.state !== "done") throw refused("its rollout has not ended");
  if (!rollout.canGoBack || rollout.from?.hash !== current.to.hash)
    throw refused("the template that it is at has not proven healthy yet");
  return { ...rollout, trial: beginTrial(request) };
}
