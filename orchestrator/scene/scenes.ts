import type { Clock } from "../../core/clock.ts";
import { messageOf } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { Store } from "../../core/store.ts";
import type { Action, ObservedReplica, ReplicaId, ServiceId } from "../../core/types.ts";
import { HOUR_MS } from "../../core/units.ts";
import type { Engine, EngineScene } from "../engine.ts";
import { lastOf, withinBytes } from "./bounds.ts";
import { type Failure, failureOf } from "./failure.ts";
import { maskSecrets, maskText, secretsIn } from "./mask.ts";
import type { Scene } from "./scene.ts";
import { SceneStore } from "./scene-store.ts";

const LOG_LINES = 100;
const LOG_BYTES = 16 * 2 ** 10;
const INSPECT_BYTES = 32 * 2 ** 10;
/** The longest that a restart waits for its replica's scene. */
const PATIENCE_MS = 2_000;
/** More failures than these at one moment have one cause, and the engine has other work then. */
const AT_ONCE = 16;

export interface ScenesOptions {
  readonly engine: Pick<Engine, "scene">;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Keeps what a failed replica leaves behind before it is started again or replaced: taken when the failure is first
 * seen, or just before the action. Best effort: what could not be had is said in the scene, and nothing here throws.
 */
export class Scenes implements AsyncDisposable {
  readonly #options: ScenesOptions;
  readonly #kept: SceneStore;
  readonly #abort = new AbortController();
  /** Of each replica the run that was taken last; a run is one start of it. */
  readonly #taken: Map<ReplicaId, string>;
  readonly #taking = new Map<ReplicaId, Promise<void>>();
  #prunedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: ScenesOptions) {
    this.#options = options;
    this.#kept = new SceneStore(options.store);
    this.#taken = new Map(Array.from(this.#kept.runs(), (run) => [run.split(" ", 1)[0] ?? "", run]));
  }

  /** Newest first. @throws FlyballError STORE_UNUSABLE */
  of(service: ServiceId): readonly Scene[] {
    return this.#kept.of(service, this.#options.clock.nowMs());
  }

  /** Begins to take the scenes of those that have failed since. @param ourDoing true for those that we are ending */
  see(replicas: readonly ObservedReplica[], ourDoing: (replica: ObservedReplica) => boolean): void {
    for (const replica of replicas) {
      // One that runs may get well again: its scene is taken when it is about to be replaced.
      if (replica.state !== "exited" && replica.state !== "restarting") continue;
      if (!ourDoing(replica)) this.#take(replica);
    }
    this.#forgetOthers(replicas);
    this.#prune();
  }

  /** Waits until the scene is kept that the action would destroy; not for longer than 2 s. */
  async before(action: Action, replica: ObservedReplica | undefined): Promise<void> {
    if (replica === undefined || !("replica" in action)) return;
    const isRunning = replica.state !== "exited" && replica.state !== "restarting";
    if (isRunning && action.kind !== "start-replica") this.#take(replica);
    await this.#taking.get(replica.id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await Promise.allSettled(this.#taking.values());
  }

  #take(replica: ObservedReplica): void {
    const failure = failureOf(replica);
    const run = `${replica.id} ${replica.startedAtMs ?? ""}`;
    if (failure === undefined || this.#taken.get(replica.id) === run) return;
    this.#taken.set(replica.id, run);
    const taking = this.#takeNow(run, replica, failure).finally(() => this.#taking.delete(replica.id));
    this.#taking.set(replica.id, taking);
  }

  async #takeNow(run: string, replica: ObservedReplica, failure: Failure): Promise<void> {
    const { clock, log } = this.#options;
    const found =
      this.#taking.size < AT_ONCE
        ? await this.#look(replica.id)
        : { missing: [`log and inspect: more than ${AT_ONCE} replicas failed at once`] };
    if (this.#abort.signal.aborted) return;
    try {
      this.#kept.add(run, sceneFrom(replica, failure, found, clock.nowMs()));
    } catch (error) {
      log.warn({ replica: replica.id, err: error }, "the scene of a failed replica could not be kept");
    }
    const about = { service: replica.service, slot: replica.slot, replica: replica.id };
    if (found.missing.length > 0) log.warn({ ...about, missing: found.missing }, "a scene is not complete");
  }

  async #look(replica: ReplicaId): Promise<EngineScene> {
    const late = Promise.withResolvers<EngineScene>();
    const timer = setTimeout(() => {
      late.resolve({ missing: [`log and inspect: the engine did not answer within ${PATIENCE_MS} ms`] });
    }, PATIENCE_MS);
    try {
      const signal = AbortSignal.any([this.#abort.signal, AbortSignal.timeout(PATIENCE_MS)]);
      const bounds = { lines: LOG_LINES, bytes: LOG_BYTES };
      return await Promise.race([this.#options.engine.scene(replica, bounds, signal), late.promise]);
    } catch (error) {
      return { missing: [`log and inspect: ${messageOf(error)}`] };
    } finally {
      clearTimeout(timer);
    }
  }

  #forgetOthers(replicas: readonly ObservedReplica[]): void {
    if (this.#taken.size === 0) return;
    const known = new Set(replicas.map(({ id }) => id));
    for (const id of this.#taken.keys()) if (!known.has(id)) this.#taken.delete(id);
  }

  #prune(): void {
    const { clock, log } = this.#options;
    if (clock.monotonicMs() - this.#prunedAtMs < HOUR_MS) return;
    this.#prunedAtMs = clock.monotonicMs();
    try {
      this.#kept.prune(clock.nowMs());
    } catch (error) {
      log.warn({ err: error }, "old scenes could not be cleared away");
    }
  }
}

/** What was seen of the replica, completed by what the engine said of it afterwards. */
function sceneFrom(replica: ObservedReplica, failure: Failure, found: EngineScene, nowMs: number): Scene {
  const { log, inspect, missing, ...end } = found;
  const { startedAtMs, exitedAtMs, exitCode, oomKilled } = replica;
  const facts = {
    ...(startedAtMs === undefined ? {} : { startedAtMs }),
    ...(exitedAtMs === undefined ? {} : { exitedAtMs }),
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(oomKilled === undefined ? {} : { oomKilled }),
    ...end,
  };
  // The engine may know only now how it ended.
  const { kind, reason } = failureOf({ ...replica, ...end }) ?? failure;
  const secrets = secretsIn(inspect);
  const bounded = withinBytes(maskSecrets(inspect), INSPECT_BYTES);
  return {
    service: replica.service,
    slot: replica.slot,
    replica: replica.id,
    name: replica.name,
    failure: kind,
    reason,
    takenAtMs: nowMs,
    ...facts,
    ...(log === undefined ? {} : { log: lastOf(maskText(log, secrets), LOG_LINES, LOG_BYTES) }),
    ...(inspect === undefined ? {} : { inspect: bounded.value }),
    missing: [...missing, ...bounded.dropped.map((field) => `inspect: ${field} is too large to be kept`)],
  };
}
