import type { ObservedReplica, ObservedState, ReplicaId, Service, ServiceId } from "../../core/types.ts";
import { SECOND_MS } from "../../core/units.ts";
import type { EndpointSet, ReadyEndpoint } from "../../core/wire-endpoints.ts";

/** How long after its start a daemon may take to ask replicas that ran before it whether they are ready. */
const SETTLING_MS = 10 * SECOND_MS;

const NOBODY: ReadonlySet<ReplicaId> = new Set();

/** Where services answer, as it was seen last. */
export interface EndpointSets {
  /** Of the last change. */
  readonly version: number;
  readonly firstSeenAtMs: number;
  /** In the order of the services. */
  readonly sets: ReadonlyMap<ServiceId, EndpointSet>;
  /** Services of which it is not known yet what served before the daemon's start. */
  readonly unsettled: readonly ServiceId[];
}

/**
 * The sets after a look at the engine. What did not change keeps its version, and when nothing did the answer is
 * `before` itself. A replica that could not be seen stays where it was, and a service is unsettled until its replicas
 * that ran before the daemon's start were asked: an empty set would take load from replicas that are well.
 * @param leaving those that are about to be told to stop: not seen yet, and out already
 */
export function nextEndpointSets(
  before: EndpointSets | undefined,
  services: readonly Service[],
  observed: ObservedState,
  leaving: ReadonlySet<ReplicaId> = NOBODY,
): EndpointSets {
  const { atMs, complete } = observed;
  const firstSeenAtMs = before?.firstSeenAtMs ?? atMs;
  const isSettling = atMs - firstSeenAtMs < SETTLING_MS && atMs >= firstSeenAtMs;
  const nextVersion = Math.max((before?.version ?? 0) + 1, Math.floor(atMs));
  const replicas = Map.groupBy(observed.replicas, ({ service }) => service);

  const sets = new Map<ServiceId, EndpointSet>();
  const unsettled: ServiceId[] = [];
  for (const service of services) {
    const seen = replicas.get(service.id) ?? [];
    const known = before?.sets.get(service.id);
    const wasThere = ({ startedAtMs = firstSeenAtMs }: ObservedReplica) => startedAtMs < firstSeenAtMs;
    const isOpen = !complete || seen.some((replica) => replica.state === "starting" && wasThere(replica));
    if (known === undefined && isSettling && isOpen) {
      unsettled.push(service.id);
      continue;
    }
    const unseen = complete ? [] : endpointsWithout(known, seen);
    const endpoints = [...seen.filter(isReady).flatMap(endpointsOf), ...unseen].filter(
      ({ replica }) => !leaving.has(replica),
    );
    const set: EndpointSet = {
      service: service.id,
      project: service.project,
      name: service.name,
      businessLabels: service.businessLabels,
      version: nextVersion,
      endpoints: endpoints.sort((a, b) => a.slot - b.slot),
    };
    sets.set(service.id, known !== undefined && isSame(known, set) ? known : set);
  }
  const areSame =
    before !== undefined &&
    sets.size === before.sets.size &&
    unsettled.join() === before.unsettled.join() &&
    sets.values().every((set) => before.sets.get(set.service) === set);
  return areSame ? before : { version: nextVersion, firstSeenAtMs, sets, unsettled };
}

function isReady({ state }: ObservedReplica): boolean {
  return state === "running";
}

function endpointsOf({ id, slot, readyAtMs, endpoints }: ObservedReplica): ReadyEndpoint[] {
  return endpoints.map(({ host, port, targetPort }) => ({
    replica: id,
    slot,
    host,
    port,
    targetPort,
    ...(readyAtMs === undefined ? {} : { readyAtMs }),
  }));
}

function endpointsWithout(
  known: EndpointSet | undefined,
  seen: readonly ObservedReplica[],
): readonly ReadyEndpoint[] {
  const ids = new Set(seen.map(({ id }) => id));
  return (known?.endpoints ?? []).filter(({ replica }) => !ids.has(replica));
}

function isSame(known: EndpointSet, set: EndpointSet): boolean {
  return JSON.stringify({ ...known, version: 0 }) === JSON.stringify({ ...set, version: 0 });
}
