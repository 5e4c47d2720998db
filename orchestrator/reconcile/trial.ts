import type { ObservedReplica } from "../../core/types.ts";
import type { Revision } from "../rollout/rollout.ts";
import { coloursOf, type Trial } from "../rollout/trial.ts";
import { planCreation } from "./create.ts";
import { dependencyNotMet } from "./dependencies.ts";
import { slotKey } from "./keys.ts";
import type { ServiceScene } from "./service-scene.ts";
import { planUpkeep } from "./upkeep.ts";
import { byLeastTrust } from "./victims.ts";

/** One of the two templates, and how many of it there are and should be. */
interface Side {
  readonly revision: Revision;
  readonly free: readonly ObservedReplica[];
  /** Made by running actions. */
  readonly arriving: number;
  readonly wanted: number;
  /** Fewer than this would leave the service with fewer that can be relied on than are wanted. */
  readonly atLeast: number;
  /** New replicas at a time. */
  readonly room: number;
  readonly name: string;
}

/** Both templates stand side by side, each with its own count; one goes only when the other can be relied on instead. */
export function planTrial(scene: ServiceScene, trial: Trial): void {
  const { free, wanted, policy, rollout } = scene;
  const { to, from = to, trusted } = rollout;
  const targets = coloursOf(trial, wanted);
  const [old, fresh] = [
    free.filter((replica) => scene.isOld(replica)),
    free.filter((replica) => !scene.isOld(replica)),
  ];
  const reliable = (replicas: readonly ObservedReplica[], most: number) =>
    Math.min(most, replicas.filter((replica) => scene.isProven(replica)).length);
  const arriving = arrivingOf(scene);
  const onProbation = fresh.filter((replica) => !scene.isProven(replica)).length + arriving.fresh;
  const sides: readonly Side[] = [
    {
      revision: from,
      free: old,
      arriving: arriving.old,
      wanted: Math.max(targets.old, wanted - reliable(fresh, targets.fresh)),
      atLeast: 0,
      room: Number.POSITIVE_INFINITY,
      name: "the template before",
    },
    {
      revision: to,
      free: fresh,
      arriving: arriving.fresh,
      wanted: targets.fresh,
      atLeast: wanted - reliable(old, targets.old),
      room: trusted ? Number.POSITIVE_INFINITY : policy.parallelism - onProbation,
      name: "the new template",
    },
  ];
  const leaving = new Set(sides.flatMap((side) => takeAway(scene, side)));
  // What a running action makes is of one template or the other: only when it is there is known how many lack.
  if (!arriving.unknown) for (const side of sides) add(scene, side);
  planUpkeep(
    scene,
    free.filter((replica) => !leaving.has(replica)),
  );
}

function takeAway(scene: ServiceScene, side: Side): readonly ObservedReplica[] {
  const surplus = side.free.length - Math.max(side.wanted, side.atLeast);
  if (surplus <= 0) return [];
  const victims = side.free.toSorted(byLeastTrust(scene)).slice(0, surplus);
  for (const replica of victims) scene.planning.draft.remove(replica, causeOf(scene, side));
  scene.going += victims.length;
  return victims;
}

function add(scene: ServiceScene, side: Side): void {
  const { planning, project, service } = scene;
  const lacking = side.wanted - side.free.length - side.arriving;
  if (lacking <= 0) return;
  const waiting = dependencyNotMet(project, service, planning.seen);
  if (waiting !== undefined) {
    planning.draft.hold(service.id, "dependency", waiting);
    return;
  }
  const cause = causeOf(scene, side);
  for (let added = 0; added < Math.min(lacking, side.room); added += 1) {
    const slot = scene.takeSlot();
    if (planning.draft.holdForRetry(service.id, slotKey(service.id, slot), slot)) continue;
    if (!planCreation(scene, { slot, cause, revision: side.revision })) return;
    scene.coming += 1;
  }
}

function causeOf({ service, wanted }: ServiceScene, side: Side): string {
  return `${service.name} should have ${wanted}, and while it is on trial ${side.wanted} of ${side.name}`;
}

/** Of which template they are is seen as soon as they exist. */
function arrivingOf({ planning, service, rollout }: ServiceScene): {
  readonly old: number;
  readonly fresh: number;
  readonly unknown: boolean;
} {
  const slots = planning.seen.arriving(service.id);
  const seen = planning.seen.of(service).filter(({ slot }) => slots.has(slot));
  const fresh = seen.filter(({ templateHash }) => templateHash === rollout.to.hash).length;
  return { old: seen.length - fresh, fresh, unknown: seen.length < slots.size };
}
