import type { ObservedState, ReplicaId } from "../../core/types.ts";
import { SECOND_MS } from "../../core/units.ts";
import { isEndTold, type Traces } from "./signs.ts";

/** After an end was seen, for the engine's word of how: a busy one takes longer over that than over the end itself. */
const WORD_MS = 2 * SECOND_MS;

/** Replicas that were seen to have ended, and of which it has not been heard how; since when. */
export type UntoldEnds = ReadonlyMap<ReplicaId, number>;

/** The ends that nothing explains yet. An end that is settled, as of a replica that stays stopped, is not given. */
export function untoldEnds(
  before: UntoldEnds,
  { replicas }: Pick<ObservedState, "replicas">,
  isSettled: (replica: ReplicaId) => boolean,
  { traces, nowMs }: { readonly traces: Traces; readonly nowMs: number },
): UntoldEnds {
  const untold = replicas.filter(
    ({ id, state }) => state === "exited" && !isSettled(id) && !isEndTold(traces.get(id)),
  );
  return new Map(untold.map(({ id }) => [id, before.get(id) ?? nowMs]));
}

/**
 * Those of which the word is still to come. Of what ended before anybody listened nothing more is said, and what was not
 * said for long is not said any more.
 */
export function awaitedEnds(
  untold: UntoldEnds,
  listeningSinceMs: number | undefined,
  nowMs: number,
): ReadonlySet<ReplicaId> {
  if (listeningSinceMs === undefined) return new Set();
  const awaited = [...untold].filter(
    ([, sinceMs]) => sinceMs - listeningSinceMs >= WORD_MS && nowMs - sinceMs < WORD_MS,
  );
  return new Set(awaited.map(([id]) => id));
}
