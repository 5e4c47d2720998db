import type { ObservedReplica } from "../../core/types.ts";
import { bucketOf } from "../buckets.ts";
import { addCreation, needsOf, revisionForMissing } from "./create.ts";
import { dependencyNotMet } from "./dependencies.ts";
import { slotKey } from "./keys.ts";
import type { ServiceScene } from "./service-scene.ts";

const STARTS_IN_VAIN = 3;

/** Looks after the replicas that stay: starts and restarts them, and replaces what no longer lives. */
export function planUpkeep(scene: ServiceScene, replicas: readonly ObservedReplica[]): void {
  const { planning, service } = scene;
  const { restart } = service.template;
  for (const replica of replicas) {
    const { slot } = replica;
    const hold = (kind: "ended" | "paused" | "unhealthy", reason: string) =>
      planning.draft.hold(service.id, kind, reason, slot);
    switch (bucketOf(replica, restart)) {
      case "settled":
        break;
      case "unstarted":
        startUnstarted(scene, replica);
        break;
      case "ended":
        restartEnded(scene, replica);
        break;
      case "finished":
        if (planning.input.takenAway?.has(replica.id))
          startAgain(scene, replica, "its removal was begun, and it is wanted again");
        else hold("ended", `ended, and restart is ${restart.condition}`);
        break;
      case "paused":
        hold("paused", "was paused by somebody");
        break;
      case "unhealthy":
        hold("unhealthy", unhealthyText(replica));
        break;
      case "dead":
        break;
    }
  }
  replaceOneDead(scene, replicas);
}

/** An engine may say that it has started one, and have lost it: its disk was full at that moment. */
function startUnstarted(scene: ServiceScene, replica: ObservedReplica): void {
  const starts = scene.planning.draft.failures(scene.service.id, replica.slot);
  if (replica.origin === "flyball" && starts >= STARTS_IN_VAIN)
    replace(scene, replica, `it was started ${starts} times and does not run`);
  else startAgain(scene, replica, "it was created and never started");
}

function restartEnded(scene: ServiceScene, replica: ObservedReplica): void {
  const { planning, service } = scene;
  const most = service.template.restart.maxAttempts;
  if (most !== undefined && planning.draft.failures(service.id, replica.slot) >= most) {
    planning.draft.hold(service.id, "ended", `ended ${most} times and is not restarted again`, replica.slot);
    return;
  }
  const status = replica.exitCode === undefined ? "an unknown status" : `status ${replica.exitCode}`;
  const cause = replica.oomKilled === true ? "it ran out of memory" : `it ended with ${status}`;
  startAgain(scene, replica, cause);
}

function startAgain({ planning, service }: ServiceScene, { slot, id }: ObservedReplica, cause: string): void {
  if (planning.draft.holdForRetry(service.id, slotKey(service.id, slot), slot)) return;
  planning.draft.push({ kind: "start-replica", service: service.id, slot, replica: id, after: [], cause });
}

function unhealthyText({ notReadyBecause }: ObservedReplica): string {
  return notReadyBecause === undefined ? "is unhealthy" : `is unhealthy: ${notReadyBecause}`;
}

/** One at a time, and only one that does not serve: what is ready stays. */
function replaceOneDead(scene: ServiceScene, replicas: readonly ObservedReplica[]): void {
  const { planning, service } = scene;
  const { draft } = planning;
  const dead = replicas.filter((replica) => bucketOf(replica, service.template.restart) === "dead");
  if (dead.length === 0) return;
  const holdAll = (reason: string, those = dead) => {
    for (const { slot } of those) draft.hold(service.id, "unhealthy", reason, slot);
  };
  const made = dead.filter(({ origin }) => origin === "compose");
  holdAll("is unhealthy; compose made it, so it is left alone", made);
  const [next, ...others] = dead.filter(({ origin }) => origin !== "compose");
  if (next === undefined) return;
  const isUnderWay =
    scene.arriving + scene.leaving + scene.coming > 0 ||
    scene.free.some(({ state }) => state === "starting" || state === "created");
  if (isUnderWay) {
    holdAll("is unhealthy; one is replaced at a time", [next, ...others]);
    return;
  }
  holdAll("is unhealthy; one is replaced at a time", others);
  const waiting = dependencyNotMet(scene.project, service, planning.seen);
  if (waiting !== undefined) {
    holdAll(`is unhealthy; its successor ${waiting}`, [next]);
    return;
  }
  replace(scene, next, `it ${unhealthyText(next)}`);
}

function replace(scene: ServiceScene, replica: ObservedReplica, cause: string): void {
  const { draft } = scene.planning;
  const { service, slot } = replica;
  if (draft.holdForRetry(service, slotKey(service, slot), slot)) return;
  const revision = revisionForMissing(scene, replica);
  const freed = scene.resourcesOf(replica);
  const needs = needsOf(scene, revision, freed);
  const after = needs === undefined ? undefined : draft.remove(replica, cause, needs);
  if (after !== undefined) addCreation(scene, { slot, cause, revision, after, freed }, []);
}
