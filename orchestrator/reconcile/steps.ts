import type { ObservedReplica } from "../../core/types.ts";
import { formatDuration } from "../../core/units.ts";
import { describeWay } from "../rollout/describe.ts";
import { addCreation, needsOf, planCreation } from "./create.ts";
import { dependencyNotMet } from "./dependencies.ts";
import { slotKey } from "./keys.ts";
import type { ServiceScene } from "./service-scene.ts";
import { byLeastTrust } from "./victims.ts";

/**
 * The next step of a rollout: new replicas beside the old ones, or in their place. Never more at a time than the
 * policy's parallelism, what is still on its way among them. Returns the replicas that are replaced.
 */
export function planSteps(
  scene: ServiceScene,
  staying: readonly ObservedReplica[],
): readonly ObservedReplica[] {
  const { planning, rollout, wanted, policy } = scene;
  // One that a person has paused is left, whatever its template.
  const old = staying.filter((replica) => replica.state !== "paused" && scene.isOld(replica));
  if (old.length === 0) return [];
  const fresh = staying.filter((replica) => !scene.isOld(replica));
  const hold = (why: string) => {
    const way = describeWay(rollout);
    const share = `${fresh.filter((replica) => scene.isSettled(replica)).length} of ${wanted} replicas`;
    planning.draft.hold(scene.service.id, "rollout", `${way}: ${share}; ${why}`);
    return [];
  };
  if (rollout.state === "paused") return hold(`paused: ${rollout.reason ?? "by somebody"}`);
  const waitMs = rollout.nextStepAtMs - planning.input.nowMs;
  if (waitMs > 0) return hold(`the next in ${formatDuration(waitMs)}`);
  const waiting = dependencyNotMet(scene.project, scene.service, planning.seen);
  if (waiting !== undefined) return hold(waiting);

  const pending = fresh.filter((replica) => !scene.isSettled(replica)).length;
  const underWay = pending + scene.arriving + scene.leaving + scene.coming + scene.going;
  const room = policy.parallelism - underWay;
  if (room <= 0) return hold(`${policy.order}, ${atATime(policy.parallelism)} at a time`);
  if (policy.order === "start-first") {
    const lacking = wanted - fresh.length - scene.arriving - scene.coming;
    addBeside(scene, Math.min(room, lacking, old.length));
    return [];
  }
  return replaceInPlace(scene, staying, old, room);
}

function addBeside(scene: ServiceScene, count: number): void {
  const { planning, service, rollout } = scene;
  const cause = `${describeWay(rollout)}, before an old one goes`;
  for (let added = 0; added < count; added += 1) {
    const slot = scene.takeSlot();
    if (planning.draft.holdForRetry(service.id, slotKey(service.id, slot), slot)) continue;
    if (!planCreation(scene, { slot, cause, revision: rollout.to })) return;
  }
}

/** Those that do not serve first: they are no loss. Of those that do, never so many that fewer than policy allows remain. */
function replaceInPlace(
  scene: ServiceScene,
  staying: readonly ObservedReplica[],
  old: readonly ObservedReplica[],
  room: number,
): readonly ObservedReplica[] {
  const { planning, rollout, wanted, policy } = scene;
  const inPlace = `${describeWay(rollout)}, in place of an old one`;
  const cause = policy.lack === undefined ? inPlace : `${inPlace}: ${policy.orderReason}`;
  const ready = staying.filter(
    (replica) => replica.state === "running" && (scene.isOld(replica) || scene.isSettled(replica)),
  );
  // Those that find no room are not waited for.
  const most = policy.lack === undefined ? wanted : Math.min(wanted, staying.length);
  let spare = ready.length - (most - policy.parallelism);
  const replaced: ObservedReplica[] = [];
  for (const replica of inOrder(scene, old)) {
    if (replaced.length >= room) break;
    const serves = replica.state === "running";
    if (serves && spare <= 0) break;
    // Nothing is stopped before what should take its place can be had.
    const freed = scene.resourcesOf(replica);
    const needs = needsOf(scene, rollout.to, freed);
    if (needs === undefined) break;
    const after = planning.draft.remove(replica, cause, needs);
    if (after === undefined) continue;
    const { slot } = replica;
    addCreation(scene, { slot, cause, revision: rollout.to, after, freed }, []);
    replaced.push(replica);
    if (serves) spare -= 1;
  }
  return replaced;
}

function inOrder(scene: ServiceScene, old: readonly ObservedReplica[]): readonly ObservedReplica[] {
  const byTrust = byLeastTrust(scene);
  return old.toSorted((a, b) => (scene.isProven(a) && scene.isProven(b) ? a.slot - b.slot : byTrust(a, b)));
}

function atATime(parallelism: number): string {
  return Number.isFinite(parallelism) ? String(parallelism) : "all";
}
