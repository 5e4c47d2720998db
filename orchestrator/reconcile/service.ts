import type { Project, Service } from "../../core/types.ts";
import { byLeastLoss } from "../buckets.ts";
import { cloneSource, planCreation } from "./create.ts";
import { dependencyNotMet } from "./dependencies.ts";
import { slotKey } from "./keys.ts";
import type { Planning } from "./planning.ts";
import { planUpkeep } from "./upkeep.ts";

/** One service: its count first, then the replicas that stay. */
export function planService(planning: Planning, project: Project, service: Service, asked: number): void {
  const { seen, draft } = planning;
  const wanted = service.singleReplicaReason === undefined ? asked : Math.min(asked, 1);
  if (wanted < asked) {
    draft.hold(service.id, `cannot have ${asked} replicas: ${service.singleReplicaReason}`);
  }
  const alive = seen
    .of(service)
    .filter(({ slot, state }) => state !== "stopping" && !seen.isBusy(service.id, slot));
  const missing = wanted - alive.length - seen.arriving(service.id).size;
  if (missing < 0) {
    const victims = new Set(alive.toSorted(byLeastLoss).slice(0, -missing));
    for (const victim of victims)
      draft.remove(victim, `${service.name} should have ${wanted}, not ${wanted - missing}`);
    planUpkeep(
      planning,
      project,
      service,
      alive.filter((replica) => !victims.has(replica)),
    );
    return;
  }
  planUpkeep(planning, project, service, alive);
  if (missing > 0) addReplicas(planning, project, service, missing, wanted);
}

function addReplicas(
  planning: Planning,
  project: Project,
  service: Service,
  count: number,
  wanted: number,
): void {
  const { seen, draft } = planning;
  const waiting = dependencyNotMet(project, service, seen);
  if (waiting !== undefined) {
    draft.hold(service.id, waiting);
    return;
  }
  const cloneOf = cloneSource(seen.of(service));
  const cause = `${service.name} should have ${wanted}, not ${wanted - count}`;
  const taken = new Set(seen.of(service).map((replica) => replica.slot));
  const isTaken = (slot: number) => taken.has(slot) || seen.isBusy(service.id, slot);
  let slot = 0;
  for (let added = 0; added < count; added += 1) {
    do slot += 1;
    while (isTaken(slot));
    if (draft.holdForRetry(service.id, slotKey(service.id, slot), slot)) continue;
    if (!planCreation(planning, project, service, { slot, cause, cloneOf })) return;
  }
}
