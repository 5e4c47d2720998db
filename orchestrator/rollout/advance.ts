import type { ObservedReplica, RestartPolicy } from "../../core/types.ts";
import { formatDuration, formatPercent, SECOND_MS } from "../../core/units.ts";
import { abortTrial } from "./on-trial.ts";
import type { UpdatePolicy } from "./policy.ts";
import { beginRollback, isOld, isProven, type Rollout } from "./rollout.ts";
import { coloursOf } from "./trial.ts";

/** What a rollout looks at. */
export interface RolloutScene {
  readonly policy: UpdatePolicy;
  readonly restart: RestartPolicy;
  /** The count that is asked for now. */
  readonly wanted: number;
  /** All replicas of the service. */
  readonly replicas: readonly ObservedReplica[];
  /** Its end is no failure of its own: a running action works on it, or it ended while nobody looked. */
  readonly isExcused: (replica: ObservedReplica) => boolean;
}

/** In a row; an engine that refuses three times means it. */
const REFUSALS_TO_FAIL = 3;
const LONGEST_PAUSE_DOUBLINGS = 6;

/**
 * The rollout after what was observed: the same one when nothing of it changed. A failing update becomes a rollback,
 * a failing rollback is paused.
 */
export function advance(rollout: Rollout, scene: RolloutScene, nowMs: number): Rollout {
  if (rollout.state === "done") return rollout;
  const looked = look(rollout, scene, nowMs);
  if (looked.state === "paused") return looked;
  const failure = failureOf(looked, scene, nowMs);
  if (failure !== undefined) return fail(looked, scene.policy, failure, nowMs);
  if (looked.trial !== undefined) return afterWait(looked, scene, nowMs);
  return isDone(looked, scene) ? { ...looked, state: "done", endedAtMs: nowMs } : looked;
}

/** All replicas that a trial asks for have proven healthy; true of a rollout without one. */
export function isComplete({ trial, settled }: Rollout, wanted: number): boolean {
  return trial === undefined || settled.length >= coloursOf(trial, wanted).fresh;
}

/** A trial that waits for nobody's replica does not run out of time; written now and then, not each second. */
function afterWait(rollout: Rollout, { policy, wanted }: RolloutScene, nowMs: number): Rollout {
  const isLate = nowMs - rollout.progressAtMs > policy.progressDeadlineMs / 2;
  return isLate && isComplete(rollout, wanted) ? { ...rollout, progressAtMs: nowMs } : rollout;
}

/** The engine could not make or start a replica of the new template. */
export function afterRefusal(rollout: Rollout, reason: string, nowMs: number): Rollout {
  if (rollout.state !== "updating") return rollout;
  const refusals = rollout.refusals + 1;
  const pauseMs = SECOND_MS * 2 ** Math.min(refusals - 1, LONGEST_PAUSE_DOUBLINGS);
  return { ...rollout, refusals, refusal: reason, nextStepAtMs: nowMs + pauseMs };
}

/** Which new replicas have proven healthy by now, and which have failed. */
function look(rollout: Rollout, scene: RolloutScene, nowMs: number): Rollout {
  const { policy, restart, replicas, isExcused } = scene;
  const fresh = replicas.filter(
    (replica) => replica.state !== "stopping" && !isOld(replica, rollout.to.hash),
  );
  const settled: number[] = [];
  const failed = new Set(rollout.failed);
  for (const replica of fresh) {
    const failsNow = hasFailed(replica, rollout) && !isExcused(replica);
    const wasSettled = rollout.settled.includes(replica.slot) && !(failsNow && endedEarly(replica, policy));
    if (wasSettled || isProven(replica, restart, policy.monitorMs, nowMs)) settled.push(replica.slot);
    else if (failsNow) failed.add(replica.slot);
  }
  settled.sort((a, b) => a - b);
  const isSame = failed.size === rollout.failed.length && sameSlots(settled, rollout.settled);
  if (isSame) return rollout;
  const progressed = settled.some((slot) => !rollout.settled.includes(slot));
  return {
    ...rollout,
    settled,
    failed: [...failed].sort((a, b) => a - b),
    trusted: rollout.trusted || settled.length > 0,
    ...(progressed ? { refusals: 0, progressAtMs: nowMs, nextStepAtMs: nowMs + policy.delayMs } : {}),
  };
}

/**
 * Before it has settled: afterwards it is restarted like any other. On the way back there may be replicas of that
 * template from before: an end that dates from then is no failure of the way back.
 */
function hasFailed(replica: ObservedReplica, rollout: Rollout): boolean {
  const { state, restarts = 0, startedAtMs = rollout.startedAtMs } = replica;
  if (startedAtMs < rollout.startedAtMs) return false;
  return state === "exited" || state === "unhealthy" || state === "restarting" || restarts > 0;
}

/** An engine with much to do still says that it runs, and only later when it ended. */
function endedEarly(
  { state, startedAtMs, exitedAtMs }: ObservedReplica,
  { monitorMs }: UpdatePolicy,
): boolean {
  if (state !== "exited" && state !== "restarting") return false;
  return startedAtMs !== undefined && exitedAtMs !== undefined && exitedAtMs - startedAtMs < monitorMs;
}

function failureOf(
  rollout: Rollout,
  { policy, wanted, replicas }: RolloutScene,
  nowMs: number,
): string | undefined {
  // With nothing to go back to, what fails is restarted with growing pauses, like any other replica.
  if (rollout.kind === "first") return undefined;
  if (policy.failureAction === "continue" && rollout.trial === undefined) return undefined;
  if (rollout.refusals >= REFUSALS_TO_FAIL)
    return `a replica could not be made ${rollout.refusals} times in a row (${rollout.refusal ?? "no reason given"})`;
  const { failed } = rollout;
  if (failed.length / Math.max(1, wanted) > policy.maxFailureRatio) {
    const allowed =
      policy.maxFailureRatio === 0 ? "" : `, more than ${formatPercent(policy.maxFailureRatio)}`;
    return failed.length === 1
      ? `its replica ${failed[0]} ${stateText(replicas, failed[0])}${allowed}`
      : `${failed.length} of its replicas failed${allowed}`;
  }
  const isOnTrial = rollout.trial !== undefined && isComplete(rollout, wanted);
  const isWaitedFor = wanted > 0 && !isOnTrial && nowMs - rollout.progressAtMs > policy.progressDeadlineMs;
  if (isWaitedFor) return `nothing progressed for ${formatDuration(policy.progressDeadlineMs)}`;
  return undefined;
}

function stateText(replicas: readonly ObservedReplica[], slot: number | undefined): string {
  const replica = replicas.find((one) => one.slot === slot);
  if (replica?.state === "unhealthy") return "is unhealthy";
  if (replica?.state !== "exited") return "ended";
  if (replica.oomKilled === true) return "ran out of memory";
  return replica.exitCode === undefined ? "ended" : `ended with status ${replica.exitCode}`;
}

function fail(rollout: Rollout, policy: UpdatePolicy, reason: string, nowMs: number): Rollout {
  // What is tried is given up, whatever the file says of updates that nobody watches.
  if (rollout.trial !== undefined) return abortTrial(rollout, reason, nowMs);
  const paused = (why: string): Rollout => ({ ...rollout, state: "paused", reason: `${reason}${why}` });
  if (rollout.kind === "rollback") return paused("; a rollback is not rolled back again");
  if (policy.failureAction === "pause") return paused("");
  if (!rollout.canGoBack) return paused("; no other template has proven healthy, to go back to");
  return beginRollback(rollout, reason, nowMs);
}

/** A replica that a person has paused is waited for by nobody. */
function isDone(rollout: Rollout, { wanted, replicas }: RolloutScene): boolean {
  if (wanted === 0) return false;
  const old = replicas.some(
    (replica) =>
      replica.state !== "stopping" && replica.state !== "paused" && isOld(replica, rollout.to.hash),
  );
  if (old) return false;
  const paused = replicas.filter(({ state }) => state === "paused").length;
  const isThere = (slot: number) => replicas.some((replica) => replica.slot === slot);
  const tolerated = rollout.kind === "first" ? [] : rollout.failed.filter(isThere);
  return new Set([...rollout.settled, ...tolerated]).size + paused >= wanted;
}

function sameSlots(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((slot, index) => slot === b[index]);
}
