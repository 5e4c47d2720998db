import type { Diagnostic } from "../core/diagnostics.ts";
import type { TaskIdentity } from "../core/job.ts";
import type {
  Action,
  EngineKind,
  ObservedState,
  Project,
  ReplicaId,
  Service,
  ServiceId,
} from "../core/types.ts";
import type { RunningFacts } from "./doctor/facts.ts";
import type { Found, Use } from "./housekeeping/found.ts";
import type { EngineSign } from "./ownership/signs.ts";

/** What an action may look up: the definitions behind its names. */
export interface ActionContext {
  readonly project: Project;
  /** Present for the actions on a replica. */
  readonly service?: Service;
  /** For `start-replica` without a `replica`: the id that `create-replica` returned for that slot. */
  readonly createdReplica?: ReplicaId;
  /** For `create-replica` and `start-replica` of what is a task of a job, and no replica. */
  readonly task?: TaskIdentity;
}

/**
 * A back-end that can run replicas. It translates and decides nothing: what should run is `reconcile`'s to say.
 * An implementation may be asked to do several actions at once.
 */
export interface Engine extends AsyncDisposable {
  readonly kind: EngineKind;
  /** Version and address, for people. */
  readonly description: string;
  /** What the machine has that replicas run on. */
  readonly machine: { readonly cores: number; readonly memoryBytes: number };

  /**
   * Everything that exists of these projects, replicas of services the project no longer has among them.
   * @throws FlyballError ENGINE_UNAVAILABLE when the engine does not answer
   */
  observe(projects: readonly Project[], signal: AbortSignal): Promise<ObservedState>;

  /**
   * Does one action; doing it again when it is already done succeeds. `create-replica` returns the new replica's id.
   * Nothing half-made is left when it throws, as far as the engine still answers.
   * @throws FlyballError ENGINE_UNAVAILABLE, ENGINE_REFUSED
   */
  perform(action: Action, context: ActionContext, signal: AbortSignal): Promise<ReplicaId | undefined>;

  /** The id that an image's name stands for now; absent: for none. @throws FlyballError ENGINE_UNAVAILABLE, ENGINE_REFUSED */
  imageId(reference: string, signal: AbortSignal): Promise<string | undefined>;

  /**
   * Calls `onHint` whenever something may have changed, until disposed. A hint carries no news: look at the whole.
   * `onSign` hears what was done to replicas, ours and others' doing, before the hint that follows from it.
   */
  watch(onHint: () => void, onSign?: (sign: EngineSign) => void): Disposable;

  /** What this engine will not do of what the project asks, so that a person is told before and not after. */
  check(project: Project): readonly Diagnostic[];

  /** The last lines that a replica wrote. */
  logs(replica: ReplicaId, service: ServiceId, lines: number): Promise<string>;

  /**
   * Runs a command inside a replica that runs: in its environment and directory, as its user. At the deadline, and with
   * the signal, it is ended together with what it started. A program that is not there ends with 127, as in a shell.
   * @throws FlyballError ENGINE_UNAVAILABLE, ENGINE_REFUSED when the replica runs nothing; the signal's reason
   */
  run(replica: ReplicaId, command: Command, signal: AbortSignal): Promise<CommandEnd>;

  /**
   * What there is to see of a replica that failed. Does not throw: what could not be read is in `missing`.
   * @param bounds of the log; the engine may send more
   */
  scene(replica: ReplicaId, bounds: LogBounds, signal: AbortSignal): Promise<EngineScene>;

  /**
   * What runs of each service, as far as it decides whether there can be more of it; a service of which nothing is
   * there is left out. @throws FlyballError ENGINE_UNAVAILABLE, ENGINE_REFUSED
   */
  examine(project: Project, signal: AbortSignal): Promise<ReadonlyMap<ServiceId, RunningFacts>>;

  /** The anonymous volumes and the images that replicas of these projects have now. */
  uses(projects: readonly Project[], signal: AbortSignal): Promise<readonly Use[]>;

  /** Everything that might be of use to nobody, foreign things among it: what may go is for others to judge. */
  inventory(signal: AbortSignal): Promise<readonly Found[]>;

  /**
   * Removes one thing of the inventory, when it is still as unused as it was; nothing else goes with it.
   * @throws FlyballError ENGINE_REFUSED when it is in use by now
   */
  discard(found: Found, signal: AbortSignal): Promise<void>;
}

export interface Command {
  /** The program and its arguments. */
  readonly argv: readonly string[];
  readonly timeoutMs: number;
  /** As much as is kept of the end of what it writes. */
  readonly outputBytes: number;
}

export interface CommandEnd {
  /** Absent: it was ended at its deadline. */
  readonly exitCode?: number;
  /** Standard output and standard error together. */
  readonly output: string;
}

export interface LogBounds {
  readonly lines: number;
  readonly bytes: number;
}

/** A replica as it lies there. Secrets are in it. */
export interface EngineScene {
  readonly startedAtMs?: number;
  readonly exitedAtMs?: number;
  readonly exitCode?: number;
  readonly oomKilled?: boolean;
  readonly log?: string;
  /** The engine's own description. */
  readonly inspect?: unknown;
  /** What could not be read, and why. */
  readonly missing: readonly string[];
}

/** Labels (for a process: fields of its record) that say which replica of what this is. */
export const OWNER_LABELS = {
  /** The daemon's instance id: who made it. */
  owner: "flyball.owner",
  project: "flyball.project",
  service: "flyball.service",
  slot: "flyball.slot",
  templateHash: "flyball.template-hash",
} as const;
