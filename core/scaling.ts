import type { ServiceId } from "./ids.ts";

/**
 * What a rule looks at, and the unit of its levels: `cpu`, `memory` use divided by what a replica may use, 0..1 ·
 * `rps` requests per second of one replica · `latency` milliseconds at p95 · `query` what the expression gives.
 */
export type RuleMetric = "cpu" | "memory" | "rps" | "latency" | "query";

/** Out above `max`; in below `min`, both in the metric's unit. */
export interface Rule {
  readonly metric: RuleMetric;
  readonly max: number;
  readonly min?: number;
  /** What levels of cpu and memory are shares of: cores, bytes. */
  readonly capacity?: number;
  /** The engine holds a replica to its capacity, so that what is wanted beyond it cannot be seen. */
  readonly enforced?: boolean;
  /** For `query`: PromQL. */
  readonly expression?: string;
}

/** Other bounds, from each time its cron line matches until another entry's does. */
export interface ScheduleEntry {
  /** Five fields: minute, hour, day of month, month, day of week. */
  readonly cron: string;
  /** IANA name; absent: UTC. */
  readonly timeZone?: string;
  readonly minReplicas: number;
  readonly maxReplicas: number;
}

export interface ScalingPolicy {
  readonly rules: readonly Rule[];
  /** `step`: so many replicas more or fewer at a time. `target`: as many as keep use near the thresholds. */
  readonly kind: "step" | "target";
  /** 0: none while nobody uses the service. */
  readonly minReplicas: number;
  readonly maxReplicas: number;
  /** With a minimum of 0: for how long nobody may have used the service before its last replica goes. */
  readonly idleMs?: number;
  /** Replicas per step, out and in. */
  readonly step: number;
  /** Over which use is averaged. */
  readonly windowMs: number;
  /** After a scale-out, before the next one. */
  readonly cooldownMs: number;
  /** How long a scale-in must have been wanted without a break; absent: learned from the service's own load. */
  readonly stabilizationMs?: number;
  /** Scale-ins per hour at most; absent: as many as the rules want. */
  readonly scaleInsPerHour?: number;
  readonly schedule: readonly ScheduleEntry[];
  /** Raise the floor ahead of load that the service's own history expects. */
  readonly predict: boolean;
  /** Decide and record, do not act. */
  readonly dryRun: boolean;
  /** When somebody else changes the count: go on from theirs, put ours back, or leave it. Absent: go on from theirs. */
  readonly onExternalChange?: "adopt" | "restore" | "hold";
}

/** What one rule made of what it saw. Levels are in the unit of its metric. */
export interface RuleVerdict {
  readonly metric: RuleMetric;
  readonly wants: "out" | "in" | "hold" | "unknown";
  /** The count that this rule alone asks for; absent when it knows nothing. */
  readonly asksFor?: number;
  /** Mean over the replicas that gave a reading. */
  readonly level?: number;
  /** The same over the last moments only, where a jump shows first. */
  readonly burstLevel?: number;
  /** What the level will be when a replica that is ordered now serves, as the load has been rising steadily. */
  readonly risingTo?: number;
  readonly max: number;
  readonly min?: number;
  /** All that there is is used: what is wanted beyond it cannot be seen. */
  readonly saturated?: true;
  /** Replicas that gave a reading, of those that serve. */
  readonly replicasRead: number;
  readonly replicasServing: number;
  /** Age of the oldest of the newest readings. */
  readonly ageMs?: number;
}

/**
 * `data` a rule had no reading, and silence never scales in · `forecast` as much will be needed when a replica that is
 * ordered now is ready · `cooldown` since the last scale-out · `settling` the window since the last change is not over ·
 * `rebound guard` fewer would have to be undone · `often needed` the service needs as many again and again ·
 * `stabilization` more was needed not long ago · `scale-in budget` of the hour is used up · `bounds` min and max ·
 * `idle` nobody has used the service for as long as it asks, so that it has no replica · `woken` somebody waits for one ·
 * `capacity` some that were ordered find no room · `single replica` the service cannot have two · `dry run`
 */
export type LimitName =
  | "data"
  | "forecast"
  | "cooldown"
  | "settling"
  | "rebound guard"
  | "often needed"
  | "stabilization"
  | "scale-in budget"
  | "bounds"
  | "idle"
  | "woken"
  | "capacity"
  | "single replica"
  | "dry run";

/** One limit that changed the count, in the order in which they were applied. */
export interface AppliedLimit {
  readonly limit: LimitName;
  readonly from: number;
  readonly to: number;
  /** For the limits that pass with time. */
  readonly remainingMs?: number;
  /** For the rebound guard: what fewer replicas would have run at, in the unit of its rule. */
  readonly level?: number;
  readonly metric?: RuleMetric;
  /** For what is often needed: how long, on average, until as many are needed again. */
  readonly gapMs?: number;
  /** For the bounds: the schedule's cron line that set them. */
  readonly schedule?: string;
  /** For the capacity: what one replica more needs, and what is free. */
  readonly lack?: string;
}

/** The answer to one evaluation, a no-op included. */
export interface Evaluation {
  readonly service: ServiceId;
  readonly atMs: number;
  /** The desired count before. */
  readonly from: number;
  /** What the rules ask for, before any limit. */
  readonly wanted: number;
  /** The desired count from now on. */
  readonly to: number;
  readonly verdicts: readonly RuleVerdict[];
  readonly limits: readonly AppliedLimit[];
}

/** An evaluation with the sentence that tells it to a person. */
export interface Decision extends Evaluation {
  readonly sentence: string;
}
