import type { ObservedReplica, Project, Service } from "../../core/types.ts";
import { planCreation, revisionForMissing } from "./create.ts";
import { dependencyNotMet } from "./dependencies.ts";
import { slotKey } from "./keys.ts";
import type { Planning } from "./planning.ts";
import { ServiceScene } from "./service-scene.ts";
import { planSteps } from "./steps.ts";
import { planTrial } from "./trial.ts";
import { planUpkeep } from "./upkeep.ts";
import { victimsOf } from "./victims.ts";
import { wantedReplicas } from "./wanted.ts";

/** One service: its count first, then its template, then the replicas that stay. */
export function planService(planning: Planning, project: Project, service: Service, asked: number): void {
  const scene = new ServiceScene(planning, project, service, wantedOf(planning, service, asked));
  const { wanted, free } = scene;
  takeNewestImage(scene);
  const { trial } = scene.rollout;
  if (trial !== undefined && scene.cloneOf === undefined) {
    planTrial(scene, trial);
    return;
  }
  const surplus = free.length + scene.arriving - wanted;
  if (surplus === 0 && free.every((replica) => isAsItShouldBe(scene, replica))) return;

  const leaving = new Set<ObservedReplica>();
  const cause = `${service.name} should have ${wanted}, not ${wanted + surplus}`;
  if (surplus > 0) {
    for (const { replica, why } of victimsOf(scene, surplus)) {
      planning.draft.remove(replica, why === undefined ? cause : `${cause}; ${why}`);
      leaving.add(replica);
    }
    scene.going = leaving.size;
  } else if (surplus < 0) addMissing(scene, -surplus, cause);
  const staying = leaving.size === 0 ? free : free.filter((replica) => !leaving.has(replica));
  const replaced = planSteps(scene, staying);
  planUpkeep(
    scene,
    staying.filter((replica) => !replaced.includes(replica)),
  );
}

/** What compose made is compose's to update. */
function takeNewestImage({ planning, service, rollout, cloneOf }: ServiceScene): void {
  const { image } = rollout.to.template;
  if (rollout.pullsAnew !== true || cloneOf !== undefined || image === undefined) return;
  planning.needs.newestImage(service, image);
}

function wantedOf({ draft }: Planning, service: Service, asked: number): number {
  const wanted = wantedReplicas(service, asked);
  if (wanted < asked && service.singleReplicaReason !== undefined) {
    const reason = `cannot have ${asked} replicas: ${service.singleReplicaReason}`;
    draft.hold(service.id, "single-replica", reason);
  }
  return wanted;
}

function isAsItShouldBe(scene: ServiceScene, replica: ObservedReplica): boolean {
  return replica.state === "running" && !scene.isOld(replica);
}

function addMissing(scene: ServiceScene, count: number, cause: string): void {
  const { planning, project, service, rollout } = scene;
  const waiting = dependencyNotMet(project, service, planning.seen);
  if (waiting !== undefined) {
    planning.draft.hold(service.id, "dependency", waiting);
    return;
  }
  const revision = revisionForMissing(scene);
  const fromBefore =
    revision === rollout.to ? "" : "; from the template before, until the new one has proven healthy";
  for (let added = 0; added < count; added += 1) {
    const slot = scene.takeSlot();
    if (planning.draft.holdForRetry(service.id, slotKey(service.id, slot), slot)) continue;
    if (!planCreation(scene, { slot, cause: `${cause}${fromBefore}`, revision })) return;
    scene.coming += 1;
  }
}
