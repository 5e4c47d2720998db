import type {
  ObservedReplica,
  ReplicaTemplate,
  RestartPolicy,
  Service,
  ServiceId,
} from "../../core/types.ts";
import type { Trial } from "./trial.ts";

/** A template that replicas are made from, by the number under which it is kept. */
export interface Revision {
  /** Absent: it is kept nowhere. */
  readonly number?: number;
  readonly hash: string;
  readonly template: ReplicaTemplate;
  /** The hash of the file's definition, where the image that its name stands for has changed since. */
  readonly definitionHash?: string;
}

/**
 * A service on its way to a template, and after that the template it is at. The count is no part of it. Plain data:
 * it is in the store, so that a daemon that was killed goes on where it was.
 */
export interface Rollout {
  readonly service: ServiceId;
  /** `first`: nothing was there before. */
  readonly kind: "first" | "update" | "rollback";
  readonly state: "updating" | "paused" | "done";
  readonly to: Revision;
  /** The template before, for what is made until the new one has proven healthy. */
  readonly from?: Revision;
  /** That template has proven healthy, so that one can go back to it. */
  readonly canGoBack: boolean;
  /** The new template has proven healthy, or there was nothing that it could hurt. */
  readonly trusted: boolean;
  /** Slots whose new replica was ready for the monitoring time. */
  readonly settled: readonly number[];
  /** Slots whose new replica failed before that. */
  readonly failed: readonly number[];
  /** How often in a row the engine could not make or start a new replica. */
  readonly refusals: number;
  /** What it said the last time. */
  readonly refusal?: string;
  /** Of the rollout, or of its going on after a pause. */
  readonly startedAtMs: number;
  /** When a replica settled last, or the rollout began or was resumed. */
  readonly progressAtMs: number;
  /** No further replica is taken on before then. */
  readonly nextStepAtMs: number;
  readonly endedAtMs?: number;
  /** Its definition was applied again: the image is pulled, and rolled out if it is another. */
  readonly pullsAnew?: true;
  /** Why it was paused, or why a rollback began. */
  readonly reason?: string;
  /** It stops on its way, with both templates side by side, until it is promoted or aborted. */
  readonly trial?: Trial;
  /** The way back from a trial: what is given up gets no requests while the other has anybody to take them. */
  readonly quarantined?: true;
}

/** The start of the way to another template. */
export function beginRollout(
  service: ServiceId,
  way: {
    readonly to: Revision;
    readonly from?: Revision | undefined;
    readonly canGoBack: boolean;
    /** Replicas of another template exist. */
    readonly hasOld: boolean;
  },
  nowMs: number,
): Rollout {
  const { to, from, canGoBack, hasOld } = way;
  return {
    service,
    kind: from === undefined && !hasOld ? "first" : "update",
    state: "updating",
    to,
    ...(from === undefined ? {} : { from }),
    canGoBack: canGoBack && from !== undefined,
    trusted: !hasOld,
    ...untried(nowMs),
  };
}

/** The way back, from whatever state the rollout is in. @param target absent: the template before */
export function beginRollback(
  rollout: Rollout,
  reason: string,
  nowMs: number,
  target = rollout.from,
): Rollout {
  if (target === undefined) return { ...rollout, state: "paused", reason };
  return {
    service: rollout.service,
    kind: "rollback",
    state: "updating",
    to: target,
    from: rollout.to,
    canGoBack: false,
    trusted: true,
    ...untried(nowMs),
    reason,
  };
}

/** Goes on with a rollout that was paused: what failed is tried again. */
export function resumeRollout(rollout: Rollout, nowMs: number): Rollout {
  if (rollout.state !== "paused") return rollout;
  const { reason: _reason, ...rest } = rollout;
  return { ...rest, state: "updating", ...untried(nowMs) };
}

/** Time in which nobody looked does not count against the deadline. */
export function afterGap(rollout: Rollout, gapMs: number): Rollout {
  if (rollout.state !== "updating") return rollout;
  return { ...rollout, progressAtMs: rollout.progressAtMs + gapMs };
}

function untried(nowMs: number) {
  return {
    settled: [],
    failed: [],
    refusals: 0,
    startedAtMs: nowMs,
    progressAtMs: nowMs,
    nextStepAtMs: nowMs,
  };
}

/** Its image was pulled. */
export function withImagePulled(rollout: Rollout): Rollout {
  const { pullsAnew: _pullsAnew, ...rest } = rollout;
  return rest;
}

/** The image is pulled again each time the definition is applied. */
export function takesNewestImage({ image, container }: ReplicaTemplate): boolean {
  return image !== undefined && container.pullPolicy === "always";
}

/** A rollout that has long ended, for a service of which none is known. */
export function settledRollout(service: Service): Rollout {
  return {
    service: service.id,
    kind: "first",
    state: "done",
    to: { hash: service.templateHash, template: service.template },
    canGoBack: false,
    trusted: true,
    ...untried(0),
  };
}

/** New replicas are made from the new template; else from the one before. */
export function makesNew(rollout: Rollout): boolean {
  if (rollout.from === undefined || rollout.kind === "rollback" || rollout.state === "done") return true;
  return rollout.trusted && rollout.state === "updating";
}

/** A scale-in takes the new ones first: they are what fails. */
export function takesNewFirst(rollout: Rollout): boolean {
  return rollout.kind === "update" && rollout.state === "paused";
}

/** What compose made has no hash of ours, and is compose's to update. */
export function isOld({ templateHash }: ObservedReplica, hash: string): boolean {
  return templateHash !== undefined && templateHash !== hash;
}

/** The replica of the new template is ready and has been for the monitoring time, or has done all it was to do. */
export function isProven(
  replica: ObservedReplica,
  restart: RestartPolicy,
  monitorMs: number,
  seenAtMs: number,
): boolean {
  if (replica.state === "exited") return replica.exitCode === 0 && restart.condition !== "any";
  return (
    replica.state === "running" &&
    replica.readyAtMs !== undefined &&
    seenAtMs - replica.readyAtMs >= monitorMs
  );
}
