import type { ObservedReplica } from "../../core/types.ts";
import { MINUTE_MS } from "../../core/units.ts";
import { takesNewFirst } from "../rollout/rollout.ts";
import type { ServiceScene } from "./service-scene.ts";

export interface Victim {
  readonly replica: ObservedReplica;
  /** Why this one; absent: there was no choice. */
  readonly why?: string;
}

/** Dearer to lose: the further back, the later it goes. */
const LOSS: Readonly<Record<ObservedReplica["state"], number>> = {
  stopping: 0,
  created: 1,
  exited: 2,
  restarting: 3,
  unhealthy: 4,
  starting: 5,
  paused: 6,
  running: 7,
};
/** A restart by the engine that is longer ago says nothing any more. */
const CRASHED_LATELY_MS = 10 * MINUTE_MS;

/**
 * Those of too many that cost least to lose; at most `surplus`, and fewer while what should take their place is not
 * ready: a ready one goes only when as many as wanted remain.
 */
export function victimsOf(scene: ServiceScene, surplus: number): readonly Victim[] {
  if (scene.cloneOf !== undefined) return highestNumbers(scene, surplus);
  const old = scene.free.filter((replica) => scene.isOld(replica));
  const isMixed = old.length > 0;
  const candidates = isMixed ? inRollout(scene, old) : scene.free.toSorted(byLeastLoss(scene));
  const noChoice = surplus >= scene.free.length;
  // A tolerated failure stands for a ready one: waiting for it would be waiting for ever.
  const stands = (replica: ObservedReplica) =>
    isMixed && !scene.isOld(replica) ? scene.isSettled(replica) : replica.state === "running";
  // In a rollout nobody leaves who can be relied on, while those that would stay cannot.
  const isReliable = (replica: ObservedReplica) => isMixed && stands(replica) && scene.isSettled(replica);
  let spare = scene.free.filter(stands).length - scene.wanted;
  let reliable = scene.free.filter(isReliable).length - scene.wanted;
  const victims: Victim[] = [];
  for (const replica of candidates) {
    if (victims.length === surplus) break;
    if (stands(replica) && spare <= 0) continue;
    if (isReliable(replica) && reliable <= 0) continue;
    if (stands(replica)) spare -= 1;
    if (isReliable(replica)) reliable -= 1;
    victims.push(noChoice ? { replica } : { replica, why: whyChosen(scene, replica, isMixed) });
  }
  return victims;
}

/** Sorts the one that costs least first: not serving, then crashing, then idle, then the highest slot. */
function byLeastLoss(scene: ServiceScene): (a: ObservedReplica, b: ObservedReplica) => number {
  const load = ({ id }: ObservedReplica) => scene.planning.input.load?.get(id) ?? Number.POSITIVE_INFINITY;
  return (a, b) => {
    const states = LOSS[a.state] - LOSS[b.state];
    if (states !== 0) return states;
    const crashes = crashesOf(scene, b) - crashesOf(scene, a);
    if (crashes !== 0) return crashes;
    const [loadA, loadB] = [load(a), load(b)];
    return loadA === loadB ? b.slot - a.slot : loadA - loadB;
  };
}

/** In a rollout, before all that: what has not been ready for long may be of a template that nobody has seen work. */
export function byLeastTrust(scene: ServiceScene): (a: ObservedReplica, b: ObservedReplica) => number {
  const trust = (replica: ObservedReplica) =>
    replica.state !== "running" ? 0 : scene.isProven(replica) ? 2 : 1;
  const byLoss = byLeastLoss(scene);
  return (a, b) => trust(a) - trust(b) || byLoss(a, b);
}

function crashesOf({ planning, service }: ServiceScene, replica: ObservedReplica): number {
  const { restarts = 0, startedAtMs = 0 } = replica;
  const lately = planning.input.nowMs - startedAtMs < CRASHED_LATELY_MS;
  return planning.draft.failures(service.id, replica.slot) + (lately ? restarts : 0);
}

/** Old ones make room for new ones; of new ones only what is too many, unless they are what fails. */
function inRollout(scene: ServiceScene, old: readonly ObservedReplica[]): readonly ObservedReplica[] {
  const order = byLeastTrust(scene);
  const fresh = scene.free.filter((replica) => !scene.isOld(replica)).toSorted(order);
  if (takesNewFirst(scene.rollout)) return [...fresh, ...old.toSorted(order)];
  return [...fresh.slice(0, Math.max(0, fresh.length - scene.wanted)), ...old.toSorted(order)];
}

/** As compose itself takes them; those that are still to come are waited for. */
function highestNumbers({ planning, service, free }: ServiceScene, surplus: number): readonly Victim[] {
  const seats = [...free.map(({ slot }) => slot), ...planning.seen.arriving(service.id)];
  const leaving = new Set(seats.toSorted((a, b) => b - a).slice(0, surplus));
  const victims = free.filter(({ slot }) => leaving.has(slot)).toReversed();
  if (surplus >= seats.length) return victims.map((replica) => ({ replica }));
  return victims.map((replica) => ({
    replica,
    why: `${replica.slot} has the highest number, which is how compose takes them`,
  }));
}

function whyChosen(scene: ServiceScene, replica: ObservedReplica, isMixed: boolean): string {
  const { slot, state, id } = replica;
  if (isMixed && scene.isOld(replica)) {
    const { kind } = scene.rollout;
    return `${slot} is of the ${kind === "rollback" ? "template that is given up" : "older template"}`;
  }
  if (isMixed && takesNewFirst(scene.rollout)) return `${slot} is of the new template, which fails`;
  if (state !== "running") return `${slot} is not ready (${state})`;
  if (crashesOf(scene, replica) > 0) return `${slot} has failed lately`;
  const load = scene.planning.input.load?.get(id);
  const isAlone = scene.free.every(
    (other) =>
      other === replica || other.state !== "running" || scene.planning.input.load?.get(other.id) !== load,
  );
  if (load !== undefined && isAlone) return `${slot} is the idlest (${load.toFixed(2)} cores)`;
  return `${slot} has the highest number`;
}
