/**
 * The words that travel between rooms. Plain data: every value here can be written as JSON and read back the same.
 * Units stand in the names: `…Ms` milliseconds (an instant: since 1970 UTC), `…Cores` CPU cores, `…Ratio` 0..1.
 * A field that is absent is unknown, never zero.
 */

import type { ServiceAlerts } from "./alert.ts";
import type { ReplicaId, ServiceId } from "./ids.ts";
import type { JobSpec, ObservedTask } from "./job.ts";
import type { ScalingPolicy } from "./scaling.ts";
import type { ReplicaTemplate } from "./template.ts";
import type { UpdateRequest } from "./update-request.ts";

export type * from "./ids.ts";
export type * from "./plan.ts";
export type * from "./scaling.ts";
export type * from "./template.ts";
export type * from "./update-request.ts";

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

/** What the balancer knows of who uses a service. */
export interface SignsOfUse {
  /** Requests and connections that are held until a replica serves. */
  readonly waiting: number;
  /** Requests under way and connections that are open, websockets among them. */
  readonly open: number;
  /** When the last request came, as far as the balancer knows. */
  readonly lastRequestAtMs?: number;
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
  /** When the look began: what it tells was so then, or later. */
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
