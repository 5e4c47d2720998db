/**
 * The words that travel between rooms. Plain data: every value here can be written as JSON and read back the same.
 * Units stand in the names: `…Ms` milliseconds (an instant: since 1970 UTC), `…Cores` CPU cores, `…Ratio` 0..1.
 * A field that is absent is unknown, never zero.
 */

import type { ServiceAlerts } from "./alert.ts";
import type { JobSpec, ObservedTask } from "./job.ts";
import type { ReplicaTemplate } from "./template.ts";
import type { UpdateRequest } from "./update-request.ts";

export type * from "./template.ts";
export type * from "./update-request.ts";

/** `project_service`, as Swarm names a service of a stack. */
export type ServiceId = string;

/** The engine's own id: a container id, or the id that the process engine gave a process group. */
export type ReplicaId = string;

export function serviceIdOf(project: string, name: string): ServiceId {
  return `${project}_${name}`;
}

// ---------------------------------------------------------------------------------------------------------------
// Desired state
// ---------------------------------------------------------------------------------------------------------------

/** A set of services, networks and volumes from one compose project. */
export interface Project {
  readonly name: string;
  /** The directory that relative paths of the files mean. */
  readonly workingDirectory: string;
  readonly composeFiles: readonly string[];
  readonly services: readonly Service[];
  readonly networks: readonly ProjectNetwork[];
  readonly volumes: readonly ProjectVolume[];
}

export interface ProjectNetwork {
  /** The key in the compose file. */
  readonly key: string;
  /** The engine's name for it: `project_key` unless the file says otherwise. */
  readonly name: string;
  /** Made by somebody else: never created or removed by Flyball. */
  readonly external: boolean;
  readonly driver?: string;
  readonly driverOptions: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly enableIpv6: boolean;
  readonly subnets: readonly {
    readonly subnet?: string;
    readonly gateway?: string;
    readonly ipRange?: string;
  }[];
}

export interface ProjectVolume {
  readonly key: string;
  readonly name: string;
  readonly external: boolean;
  readonly driver?: string;
  readonly driverOptions: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** What a person asks for: a template, the count it starts from, and how it scales. */
export interface Service {
  readonly id: ServiceId;
  readonly project: string;
  readonly name: string;
  readonly template: ReplicaTemplate;
  /** Hash of the template: everything that makes a replica, and not how many there are. */
  readonly templateHash: string;
  /** From `scale:` or `deploy.replicas`; where the count starts, not where it stays. */
  readonly initialReplicas: number;
  /** Absent: the service has no usable `autoscale.*` rule and keeps its count. */
  readonly scaling?: ScalingPolicy;
  /** `business.<name>` labels, as Prometheus labels. */
  readonly businessLabels: Readonly<Record<string, string>>;
  /** `metrics.port` and `metrics.path`: what its replicas expose themselves. */
  readonly metrics?: MetricsRequest;
  /** Present: it is no set of replicas but work with an end, and its count is 0. */
  readonly job?: JobSpec;
  /** Services of the same project that start first. */
  readonly dependsOn: readonly Dependency[];
  /** Why there can be one replica at most (a fixed host port, a `container_name`); absent: it can scale. */
  readonly singleReplicaReason?: string;
  /** Exactly one on each node, whatever count is asked for. */
  readonly global?: true;
  /** How replicas are brought to a changed template; what is not said is chosen from facts. */
  readonly updates?: {
    readonly update: UpdateRequest;
    /** On the way back to the template before. */
    readonly rollback: UpdateRequest;
  };
  /** Failures in a row of its probe after which a replica is replaced; absent: a probe decides readiness alone. */
  readonly livenessFailures?: number;
  /** How it is reached through the balancer; absent: the balancer knows nothing of it. */
  readonly traffic?: TrafficPolicy;
  /** What somebody wants to be told of it, beside what is built in. */
  readonly alerts?: ServiceAlerts;
}

/** How requests and connections from outside reach the replicas of a service. */
export interface TrafficPolicy {
  /** At least one. */
  readonly doors: readonly TrafficDoor[];
  /** A client stays with the replica that first answered it, by a cookie; in `http` doors only. */
  readonly sticky: boolean;
  /** How long a replica may say nothing while something is asked of it. */
  readonly timeoutMs: number;
}

/** One way in, and the port of the replica that it leads to. */
export interface TrafficDoor {
  /** The replica's own; absent: the first one it has. */
  readonly port?: number;
  readonly mode: "http" | "tcp";
  /** Where the balancer listens for this door alone; absent: with others, where it listens for HTTP. */
  readonly listen?: { readonly host?: string; readonly port: number };
  /** Host names in lower case; none: every one that nobody else claims. */
  readonly domains: readonly string[];
  /** It and what is below it; `/` is everything. */
  readonly path: string;
}

/** Where each replica exposes metrics of its own. */
export interface MetricsRequest {
  /** The replica's own port. */
  readonly port: number;
  readonly path: string;
}

export interface Dependency {
  readonly service: ServiceId;
  readonly condition: "started" | "healthy" | "completed";
  /** False: the dependency may be missing. */
  readonly required: boolean;
}

// ---------------------------------------------------------------------------------------------------------------
// Scaling
// ---------------------------------------------------------------------------------------------------------------

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

// ---------------------------------------------------------------------------------------------------------------
// Measuring
// ---------------------------------------------------------------------------------------------------------------

/** What the collector should read: a replica and the process its files are found from. */
export interface Target {
  readonly replica: ReplicaId;
  readonly service: ServiceId;
  /** The first process of the container, or the leader of the process group. */
  readonly pid: number;
  /** `container`: its cgroup is its own. `process`: its cgroup if Flyball made one for it, else the process tree. */
  readonly kind: "container" | "process";
  /** The rest says how it is shown to others; without a name it is shown by its id. */
  readonly name?: string;
  readonly image?: string;
  /** Those that a container of the service has, business labels among them, whatever the engine. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly createdAtMs?: number;
  readonly startedAtMs?: number;
  readonly health?: "starting" | "healthy" | "unhealthy";
  readonly limits?: { readonly cores?: number; readonly memoryBytes?: number };
  /** Where its ports answer, from this host. */
  readonly endpoints?: readonly Endpoint[];
}

/**
 * What was read of one replica at one instant of the node's clock. Each field is one series; a reading that failed
 * is absent. Counters are the kernel's, cumulative; `cpuCores` is derived from two of them.
 */
export interface Sample {
  readonly replica: ReplicaId;
  readonly readAtMs: number;
  /** Counter: CPU time since the replica started. */
  readonly cpuUsageSeconds?: number;
  /** CPU use since the reading before; absent at the first one and after a reset. */
  readonly cpuCores?: number;
  /** Counter: time the replica was held back by its CPU limit. */
  readonly cpuThrottledSeconds?: number;
  /** Share of the time since the reading before in which it wanted CPU and did not get it. */
  readonly cpuHeldBackRatio?: number;
  readonly memoryUsageBytes?: number;
  /** Usage without inactive file cache. */
  readonly memoryWorkingSetBytes?: number;
  /** From the replica's own metrics, between their last two readings, the newer of which is 5 s old at the most. */
  readonly requestsPerSecond?: number;
  /** At p95 of those requests; absent when there were none. */
  readonly latencyMs?: number;
}

/**
 * What the balancer counted for a service, or for one replica of it. Rates, ratio and latency are over the last seconds;
 * totals only ever grow while the daemon runs. A value of which there is nothing to tell is absent.
 */
export interface TrafficReading {
  readonly service: ServiceId;
  /** Absent: the whole service, with what no replica could take. */
  readonly replica?: ReplicaId;
  readonly readAtMs: number;
  /** Of a tcp door: connections. */
  readonly requestsPerSecond?: number;
  /** Requests and connections that are under way. */
  readonly open: number;
  /** Of them, those that wait for a replica. */
  readonly queued: number;
  /** Share of the requests that were answered 5xx, or not at all. */
  readonly errorRatio?: number;
  /** From the request to the head of the answer, at p95. */
  readonly latencyMs?: number;
  readonly requestsTotal: number;
  readonly errorsTotal: number;
}

// ---------------------------------------------------------------------------------------------------------------
// Observed state
// ---------------------------------------------------------------------------------------------------------------

export type EngineKind = "docker" | "process";

/**
 * `created` made and never started · `starting` running, not ready yet · `running` running and ready ·
 * `unhealthy` running, and its healthcheck or probe says no · `paused` by a person · `restarting` the engine waits
 * to start it again · `stopping` has its stop signal · `exited` ended.
 */
export type ReplicaState =
  | "created"
  | "starting"
  | "running"
  | "unhealthy"
  | "paused"
  | "restarting"
  | "stopping"
  | "exited";

export interface ObservedReplica {
  readonly id: ReplicaId;
  readonly project: string;
  readonly service: ServiceId;
  /** The numbered seat, from 1; compose's container number. */
  readonly slot: number;
  readonly name: string;
  readonly state: ReplicaState;
  /** Who made it. */
  readonly origin: "flyball" | "compose";
  /** Absent on what compose made: Flyball cannot compute compose's hash. */
  readonly templateHash?: string;
  /** The image that it was made from, by the engine's own id. */
  readonly imageId?: string;
  readonly pid?: number;
  readonly createdAtMs?: number;
  readonly startedAtMs?: number;
  /** When it was first seen ready. */
  readonly readyAtMs?: number;
  readonly exitedAtMs?: number;
  /** Unknown when it ended while nobody watched. */
  readonly exitCode?: number;
  readonly oomKilled?: boolean;
  /** How often the engine itself has started it again. */
  readonly restarts?: number;
  /** Its liveness check has failed as often as it may: it is to be replaced. */
  readonly live?: false;
  /** What its probe says of a replica that runs and is not ready. */
  readonly notReadyBecause?: string;
  /** Where it answers, from this host. */
  readonly endpoints: readonly Endpoint[];
  /** Limits the engine could not enforce, as `cpu limit: no writable cgroup`. */
  readonly notEnforced: readonly string[];
}

export interface Endpoint {
  /** The port inside the replica. */
  readonly targetPort: number;
  readonly host: string;
  readonly port: number;
}

export interface ObservedState {
  readonly atMs: number;
  /** False: something could not be read, and what is missing here may well exist. Nothing is removed then. */
  readonly complete: boolean;
  readonly replicas: readonly ObservedReplica[];
  /** Tasks of jobs, which are no replicas. */
  readonly tasks?: readonly ObservedTask[];
  /** Engine names of the networks and volumes that exist, and image references that resolve. */
  readonly networks: readonly string[];
  readonly volumes: readonly string[];
  readonly images: readonly string[];
}

// ---------------------------------------------------------------------------------------------------------------
// Plans
// ---------------------------------------------------------------------------------------------------------------

interface ActionBase {
  /** Unique in its plan. */
  readonly id: number;
  /** Actions that must have succeeded first. */
  readonly after: readonly number[];
  /** Why, for a person. */
  readonly cause: string;
}

interface SlotAction extends ActionBase {
  readonly service: ServiceId;
  readonly slot: number;
}

/** One engine call. */
export type Action =
  | (ActionBase & { readonly kind: "pull-image"; readonly image: string })
  | (ActionBase & { readonly kind: "create-network"; readonly project: string; readonly network: string })
  | (ActionBase & { readonly kind: "create-volume"; readonly project: string; readonly volume: string })
  | (ActionBase & { readonly kind: "remove-network"; readonly project: string; readonly network: string })
  /**
   * `cloneOf`: from that replica as the engine has it (compose made it); absent: from the service's template.
   * `templateHash`: from that revision of it; absent: from the one that is desired.
   */
  | (SlotAction & {
      readonly kind: "create-replica";
      readonly cloneOf?: ReplicaId;
      readonly templateHash?: string;
    })
  /** `replica` absent: the one that this plan created in that slot. */
  | (SlotAction & { readonly kind: "start-replica"; readonly replica?: ReplicaId })
  | (SlotAction & { readonly kind: "stop-replica"; readonly replica: ReplicaId })
  /** With its anonymous volumes. */
  | (SlotAction & { readonly kind: "remove-replica"; readonly replica: ReplicaId });

export interface Plan {
  readonly actions: readonly Action[];
  /** What was left as it is though it is not as desired, and why. */
  readonly holds: readonly Hold[];
}

/**
 * `observation` the engine could not be read completely · `single-replica` the service cannot have two · `capacity` what
 * it reserves does not fit the host, and asking for more cannot help · `dependency` waits for another service ·
 * `resource` waits for, or lacks, an image, network or volume · `retry` an action failed lately · `crash-loop` its
 * replica ends again and again · `rollout` goes on later · `paused` by a person · `ended` and is not to be restarted ·
 * `unhealthy` · `foreign` made by somebody else · `external` left as somebody else has made it
 */
export type HoldKind =
  | "observation"
  | "single-replica"
  | "capacity"
  | "dependency"
  | "resource"
  | "retry"
  | "crash-loop"
  | "rollout"
  | "paused"
  | "ended"
  | "unhealthy"
  | "foreign"
  | "external";

export interface Hold {
  readonly service: ServiceId;
  readonly slot?: number;
  readonly kind?: HoldKind;
  readonly reason: string;
}
