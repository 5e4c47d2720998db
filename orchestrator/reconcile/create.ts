import type { ObservedReplica, Resources } from "../../core/types.ts";
import { isOld, makesNew, type Revision, takesNewestImage } from "../rollout/rollout.ts";
import type { ServiceScene } from "./service-scene.ts";

export interface Creation {
  readonly slot: number;
  readonly cause: string;
  readonly revision: Revision;
  readonly after?: readonly number[];
  /** What goes before it comes. */
  readonly freed?: Resources;
}

/** The template of replicas that are made because some are missing. @param dead whose place is taken */
export function revisionForMissing({ rollout }: ServiceScene, dead?: ObservedReplica): Revision {
  const isOldSide = rollout.trial !== undefined && dead !== undefined && isOld(dead, rollout.to.hash);
  if (isOldSide && rollout.from !== undefined) return rollout.from;
  return makesNew(rollout) || rollout.from === undefined ? rollout.to : rollout.from;
}

/** Plans a replica and its start; false when it cannot be had now. */
export function planCreation(scene: ServiceScene, creation: Creation): boolean {
  const needs = needsOf(scene, creation.revision, creation.freed);
  if (needs === undefined) return false;
  addCreation(scene, creation, needs);
  return true;
}

/** The actions that have to come first; undefined when something cannot be had now, or does not fit. */
export function needsOf(
  scene: ServiceScene,
  revision: Revision,
  freed?: Resources,
): readonly number[] | undefined {
  const { planning, project, service, cloneOf } = scene;
  const { ledger, draft, needs } = planning;
  const lack = ledger?.lacks(revision.template.resources, freed);
  if (lack !== undefined) {
    draft.hold(service.id, "capacity", lack);
    return undefined;
  }
  if (cloneOf !== undefined) return [];
  // Nobody looks for the images of templates that are left behind.
  const hasImage = revision !== scene.rollout.to && hasReplica(scene, revision.hash);
  return needs.of(project, service, revision.template, pullsAnew(scene, revision), hasImage);
}

/** Once for a new definition, with its first replica: a scale-out must not wait for a registry. */
function pullsAnew(scene: ServiceScene, { hash, template, definitionHash }: Revision): boolean {
  const { state, kind, to } = scene.rollout;
  // The way back is to the image that was; and another image is known of because it was pulled.
  if (!takesNewestImage(template) || kind === "rollback" || definitionHash !== undefined) return false;
  return state === "updating" && to.hash === hash && !hasReplica(scene, hash);
}

function hasReplica({ free }: ServiceScene, hash: string): boolean {
  return free.some(({ templateHash }) => templateHash === hash);
}

export function addCreation(
  { planning: { draft, ledger }, service, cloneOf }: ServiceScene,
  { slot, cause, revision, after = [], freed }: Creation,
  needs: readonly number[],
): void {
  ledger?.take(revision.template.resources);
  if (freed !== undefined) ledger?.release(freed);
  const created = draft.push({
    kind: "create-replica",
    service: service.id,
    slot,
    ...(cloneOf === undefined ? { templateHash: revision.hash } : { cloneOf: cloneOf.id }),
    after: [...after, ...needs],
    cause: cloneOf === undefined ? cause : `${cause} (a copy of ${cloneOf.name})`,
  });
  draft.push({ kind: "start-replica", service: service.id, slot, after: [created], cause });
}
