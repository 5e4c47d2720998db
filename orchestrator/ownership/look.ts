import type {
  ObservedReplica,
  ObservedState,
  Project,
  ReplicaId,
  Service,
  ServiceId,
} from "../../core/types.ts";
import { MINUTE_MS, SECOND_MS } from "../../core/units.ts";
import { type Traces, wasToldToStop } from "./signs.ts";

/** After the last sign of somebody's work before it counts as done: `docker compose` works in several steps. */
const QUIET_MS = 1.5 * SECOND_MS;
/** Longer than this nothing of our own is waited for. */
const OWN_WORK_MS = 30 * SECOND_MS;
/**
 * Compose makes all containers before it starts the first, and release 1 removes the one before only after that; one that
 * is older than this was left behind.
 */
const FRESH_MS = MINUTE_MS;
/** Beyond the grace that a replica has, before a signal is taken for one that does not end it. */
const DEATH_MS = 5 * SECOND_MS;

/** A replica as it was seen. `stopped`: by somebody, and it is there still · `ours`: we are making it, or taking it away. */
export interface Seat {
  readonly id: ReplicaId;
  readonly slot: number;
  readonly standing: "counts" | "stopped" | "ours";
}

interface Unrest {
  readonly sinceMs: number;
  /** When it last looked otherwise than before. */
  readonly lastMs: number;
  readonly shape: string;
  /** The count that was asked for when it began. */
  readonly desired: number;
  /** It was there at the first look of this daemon. */
  readonly isFromBefore: boolean;
}

/** What is remembered of a service: how it looked when all was quiet, and whether it is so no longer. */
export interface ServiceMemory {
  readonly seats: readonly Seat[];
  readonly unrest?: Unrest;
  /** As a daemon left it that runs no longer. */
  readonly isFromBefore?: boolean;
}

export type Memory = ReadonlyMap<ServiceId, ServiceMemory>;

export interface Subject {
  readonly service: Service;
  /** The count that is asked for now. */
  readonly desired: number;
  /** Some of our own actions are under way. */
  readonly isBusy: boolean;
  /** Left alone, because somebody took all of it away. */
  readonly isAway: boolean;
}

export interface LookInput {
  readonly nowMs: number;
  /** A complete one. */
  readonly observed: ObservedState;
  readonly projects: readonly { readonly project: Project; readonly subjects: readonly Subject[] }[];
  readonly traces: Traces;
  /** Replicas that have ended, and of which it is still to be heard how. */
  readonly awaited: ReadonlySet<ReplicaId>;
  /** Replicas that our own actions stop or remove. */
  readonly own: ReadonlySet<ReplicaId>;
  /** Replicas that somebody has stopped, and that were left so. */
  readonly parked: ReadonlySet<ReplicaId>;
}

/** What somebody else did to a service, once it is over. */
export interface Change {
  readonly service: Service;
  /** `stopped`: all of it, and it is there still. */
  readonly kind: "count" | "stopped";
  /** The count that was asked for when it began, and that is asked for now. */
  readonly from: number;
  readonly desired: number;
  readonly found: number;
  readonly removed: readonly Seat[];
  readonly came: readonly Seat[];
  readonly stopped: readonly Seat[];
  readonly replaced: boolean;
  readonly remaining: readonly Seat[];
  /** All that are there. */
  readonly seats: readonly Seat[];
  /** It had been taken away as a whole, and is back. */
  readonly isReturn: boolean;
  readonly whileAway: boolean;
}

/** A project of which nothing is left. `whileAway`: that was so when this daemon began to look. */
export interface Down {
  readonly project: Project;
  readonly whileAway: boolean;
}

export interface LookResult {
  readonly memory: Memory;
  /** Services that somebody is working on at this moment, or may be. */
  readonly restless: ReadonlySet<ServiceId>;
  readonly changes: readonly Change[];
  /** Projects of which nothing is left, their networks among it: `docker compose down`. */
  readonly down: readonly Down[];
}

/**
 * Tells what others do to the replicas of services. A replica that is gone, came, or was told to stop, and none of it
 * by us, is somebody's doing; one that crashed is not. Nothing is said before it has been quiet for a while in the
 * whole project.
 */
export function look(memory: Memory, input: LookInput): LookResult {
  const replicas = Map.groupBy(input.observed.replicas, ({ service }) => service);
  const projects = input.projects.map(({ project, subjects }) => ({
    project,
    views: subjects.map((subject) => {
      const { id } = subject.service;
      return viewOf(memory.get(id), subject, replicas.get(id) ?? [], input);
    }),
  }));
  const isAnyDying = projects.some(({ views }) => views.some(({ isDying }) => isDying));
  const next = new Map<ServiceId, ServiceMemory>();
  const restless = new Set<ServiceId>();
  const changes: Change[] = [];
  const down: Down[] = [];
  for (const { project, views } of projects) {
    const disturbed = views.filter(({ unrest }) => unrest !== undefined);
    const isOver = !isAnyDying && disturbed.every((view) => isQuiet(view, input.nowMs));
    const isDown = isOver && isTakenDown(project, disturbed, input);
    if (isDown) down.push({ project, whileAway: disturbed.some(({ unrest }) => unrest?.isFromBefore) });
    for (const view of views) {
      const { service } = view.subject;
      if (view.unrest === undefined) {
        next.set(service.id, { seats: view.seats });
        // None is awaited, nearly always.
        if (input.awaited.size > 0 && view.seats.some(({ id }) => input.awaited.has(id)))
          restless.add(service.id);
      } else if (!isOver) {
        restless.add(service.id);
        next.set(service.id, { seats: view.before, unrest: view.unrest });
      } else {
        const change = isDown ? undefined : changeOf(view, view.unrest);
        if (change !== undefined) changes.push(change);
        next.set(service.id, { seats: view.seats });
      }
    }
  }
  return { memory: next, restless, changes, down };
}

interface View {
  readonly subject: Subject;
  readonly before: readonly Seat[];
  readonly seats: readonly Seat[];
  readonly gone: readonly Seat[];
  readonly came: readonly Seat[];
  readonly stopped: readonly Seat[];
  readonly isDying: boolean;
  /** Something is in a state in which it does not stay. */
  readonly isPassing: boolean;
  readonly unrest: Unrest | undefined;
}

const UNTOUCHED = { gone: [], came: [], stopped: [], isDying: false, isPassing: false, unrest: undefined };

/** Nearly all of them, nearly always. */
function isAsBefore(
  { id, state }: ObservedReplica,
  seat: Seat | undefined,
  { own, traces }: LookInput,
): boolean {
  return (
    seat?.id === id &&
    seat.standing === "counts" &&
    (state === "running" || state === "starting" || state === "unhealthy") &&
    traces.get(id)?.killedAtMs === undefined &&
    !own.has(id)
  );
}

function viewOf(
  memory: ServiceMemory | undefined,
  subject: Subject,
  replicas: readonly ObservedReplica[],
  input: LookInput,
): View {
  const { observed, nowMs, parked, own, traces } = input;
  const { service, isAway } = subject;
  if (memory?.unrest === undefined && memory?.seats.length === replicas.length) {
    const { seats } = memory;
    const isUntouched = replicas.every((replica, index) => isAsBefore(replica, seats[index], input));
    if (isUntouched) return { ...UNTOUCHED, subject, before: seats, seats };
  }
  const seats = replicas.map((replica) => seatOf(replica, input));
  // At the first look whatever is there is how it was.
  const before = memory?.seats ?? (isAway ? [] : seats);
  const known = new Map(before.map((seat) => [seat.id, seat]));
  const present = new Map(replicas.map((replica) => [replica.id, replica]));
  const gone = before.filter(({ id, standing }) => standing === "counts" && !present.has(id) && !own.has(id));
  const stopped = seats.filter(
    ({ id, standing }) => standing === "stopped" && known.get(id)?.standing === "counts",
  );
  const came = seats.filter(({ id, standing }) => {
    if (standing !== "counts") return false;
    const earlier = known.get(id);
    if (earlier !== undefined) return earlier.standing === "stopped";
    return present.get(id)?.origin === "compose" || parked.has(id);
  });
  const dying = replicas.filter((replica) => isDying(replica, service, input));
  const view = { subject, before, seats, gone, came, stopped, isDying: dying.length > 0 };
  const isPassing =
    replicas.some((replica) => isPassingState(replica, own, nowMs)) ||
    came.some(
      ({ id, slot }) => isFresh(present.get(id), nowMs) && stopped.some((seat) => seat.slot === slot),
    );
  // A busy engine takes long over a removal, and its word of it may be old by then, or was never heard.
  const leaving = replicas.filter(
    ({ id, state }) => state === "stopping" && known.get(id)?.standing === "counts" && !own.has(id),
  );
  const differs = [gone, came, stopped, dying, leaving].some(({ length }) => length > 0);
  if (!differs && memory?.unrest === undefined) return { ...view, isPassing, unrest: undefined };
  const stateOf = ({ id }: { id: ReplicaId }) => [id, present.get(id)?.state, traces.get(id)];
  const shape = JSON.stringify([
    [gone, came, stopped, dying, leaving].map((those) => those.map(stateOf)),
    observed.networks.length,
  ]);
  return { ...view, isPassing, unrest: unrestAfter(memory, shape, subject.desired, nowMs) };
}

function unrestAfter(
  memory: ServiceMemory | undefined,
  shape: string,
  desired: number,
  nowMs: number,
): Unrest {
  const before = memory?.unrest;
  if (before !== undefined) return before.shape === shape ? before : { ...before, lastMs: nowMs, shape };
  const isFromBefore = memory?.isFromBefore === true;
  return { sinceMs: nowMs, lastMs: nowMs, shape, desired, isFromBefore };
}

function seatOf(replica: ObservedReplica, { own, parked, traces }: LookInput): Seat {
  const { id, slot, state, origin } = replica;
  // One that we have made and not yet started may go again with a start that fails.
  if (own.has(id) || (state === "created" && origin === "flyball")) return { id, slot, standing: "ours" };
  const wasTold = parked.has(id) || wasToldToStop(traces.get(id));
  return { id, slot, standing: state === "exited" && wasTold ? "stopped" : "counts" };
}

function isDying(replica: ObservedReplica, service: Service, { own, traces, nowMs }: LookInput): boolean {
  const killedAtMs = traces.get(replica.id)?.killedAtMs;
  if (killedAtMs === undefined || own.has(replica.id)) return false;
  const runs = replica.state !== "exited" && replica.state !== "created";
  return runs && nowMs - killedAtMs <= service.template.stopGraceMs + DEATH_MS;
}

function isPassingState(replica: ObservedReplica, own: ReadonlySet<ReplicaId>, nowMs: number): boolean {
  if (own.has(replica.id)) return false;
  if (replica.state === "stopping") return true;
  const { state, origin, exitCode } = replica;
  // One with an exit status was started in vain: compose has given up.
  const isUntried = state === "created" && exitCode === undefined;
  return isUntried && origin === "compose" && isFresh(replica, nowMs);
}

function isFresh(replica: ObservedReplica | undefined, nowMs: number): boolean {
  return nowMs - (replica?.createdAtMs ?? 0) < FRESH_MS;
}

function isQuiet({ unrest, subject, isPassing }: View, nowMs: number): boolean {
  if (unrest === undefined) return true;
  const waitsForOwn = subject.isBusy && nowMs - unrest.sinceMs <= OWN_WORK_MS;
  return nowMs - unrest.lastMs >= QUIET_MS && !isPassing && !waitsForOwn;
}

function isTakenDown(project: Project, disturbed: readonly View[], { observed, traces }: LookInput): boolean {
  const gone = disturbed.flatMap((view) => view.gone);
  if (gone.length === 0) return false;
  const left = observed.replicas.filter((replica) => replica.project === project.name);
  const known = new Set(project.services.map(({ id }) => id));
  if (left.some(({ service }) => known.has(service))) return false;
  const networks = project.networks.filter(({ external }) => !external);
  // What the files no longer name stays, and the networks with it.
  if (networks.length > 0 && left.length === 0)
    return networks.every(({ name }) => !observed.networks.includes(name));
  return gone.every(({ id }) => wasToldToStop(traces.get(id)));
}

function changeOf({ subject, seats, gone, came, stopped }: View, unrest: Unrest): Change | undefined {
  const { service, desired, isAway } = subject;
  // One that stands where another stood has only taken its place.
  const standsAgain = (seat: Seat, others: readonly Seat[]) => others.some(({ slot }) => slot === seat.slot);
  const removed = gone.filter((seat) => !standsAgain(seat, came));
  const added = came.filter((seat) => !standsAgain(seat, gone));
  const remaining = seats.filter(({ standing }) => standing === "counts");
  if (removed.length + added.length + stopped.length === 0) return undefined;
  const found = remaining.length;
  if (found === desired && stopped.length === 0 && !isAway) return undefined;
  return {
    service,
    kind: found === 0 && stopped.length > 0 && removed.length === 0 ? "stopped" : "count",
    from: unrest.desired,
    desired,
    found,
    removed,
    came: added,
    stopped,
    replaced: removed.length < gone.length,
    remaining,
    seats,
    isReturn: isAway && found > 0,
    whileAway: unrest.isFromBefore,
  };
}
