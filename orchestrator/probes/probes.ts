import type { Clock } from "../../core/clock.ts";
import type { Endpoint, ObservedReplica, Probe, ReplicaId, Service } from "../../core/types.ts";
import { runOf } from "../readiness.ts";
import { type Answer, ask, type Run } from "./ask.ts";
import { afterAnswer, type ProbeHealth, pauseMs, UNASKED } from "./health.ts";
import { type ProbeTiming, timingOf } from "./timing.ts";

interface Watch {
  readonly replica: ReplicaId;
  /** Another run of it, or an answer elsewhere, is another watch. */
  readonly run: string;
  readonly probe: Probe;
  readonly timing: ProbeTiming;
  readonly endpoint: Endpoint | undefined;
  readonly startedAtMs: number;
  readonly over: AbortController;
  health: ProbeHealth;
  /** Of the last answer. */
  problem: string | undefined;
  timer: NodeJS.Timeout | undefined;
}

export interface ProbesOptions {
  /** Runs a command inside a replica. */
  readonly run: Run;
  readonly clock: Clock;
  /** A replica became ready, or ceased to be. */
  readonly onChange: () => void;
}

/**
 * Asks replicas whose template has a probe whether they are ready, and says so by their state: an engine knows only
 * that they run. One that has failed as often as `probe.liveness` allows no longer lives; nor does one that the
 * engine's own healthcheck has given up.
 */
export class Probes implements AsyncDisposable {
  readonly #options: ProbesOptions;
  readonly #watches = new Map<ReplicaId, Watch>();
  readonly #asking = new Set<Promise<void>>();

  constructor(options: ProbesOptions) {
    this.#options = options;
  }

  /**
   * The replicas with the state that their probes know; starts asking new ones and stops asking those that went.
   * @param definitionOf the service as that replica is of it: an older one may know nothing of a newer one's probe
   */
  apply(
    replicas: readonly ObservedReplica[],
    definitionOf: (replica: ObservedReplica) => Service | undefined,
  ): readonly ObservedReplica[] {
    const seen = new Set<ReplicaId>();
    const result = replicas.map((replica) => {
      // A healthcheck has its own count of retries, and the engine keeps it.
      if (replica.state === "unhealthy") return { ...replica, live: false as const };
      if (replica.state !== "running") return replica;
      const service = definitionOf(replica);
      const probe = service?.template.probe;
      if (probe === undefined) return replica;
      seen.add(replica.id);
      const watch = this.#watchOf(replica, probe);
      return asWatched(replica, watch, service?.livenessFailures);
    });
    for (const watch of this.#watches.values()) if (!seen.has(watch.replica)) this.#end(watch);
    return result;
  }

  /** Ends every question; none is open when it is done. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const watch of this.#watches.values()) this.#end(watch);
    await Promise.allSettled(this.#asking);
  }

  #watchOf(replica: ObservedReplica, probe: Probe): Watch {
    const endpoint = probe.kind === "cmd" ? undefined : endpointOf(replica, probe);
    const run = `${runOf(replica)} ${endpoint?.host}:${endpoint?.port}`;
    const known = this.#watches.get(replica.id);
    const isSameRun = known?.run === run;
    if (isSameRun && isSame(known.probe, probe)) return known;
    if (known !== undefined) this.#end(known);
    const { initialDelayMs } = timingOf(probe);
    const nowMs = this.#options.clock.nowMs();
    const watch: Watch = {
      replica: replica.id,
      run,
      probe,
      timing: timingOf(probe),
      endpoint,
      startedAtMs: replica.startedAtMs ?? nowMs,
      over: new AbortController(),
      // What has served is not out of service because it is asked another question.
      health: isSameRun ? known.health : UNASKED,
      problem: undefined,
      timer: undefined,
    };
    this.#watches.set(replica.id, watch);
    const delayMs = watch.startedAtMs + initialDelayMs - nowMs;
    if (delayMs > 0) this.#later(watch, Math.min(delayMs, initialDelayMs));
    else this.#ask(watch);
    return watch;
  }

  #later(watch: Watch, delayMs: number): void {
    watch.timer = setTimeout(() => this.#ask(watch), delayMs);
  }

  #ask(watch: Watch): void {
    const { probe, timing, over } = watch;
    const asking = ask(probe, watch, timing.timeoutMs, this.#options.run, over.signal).then((answer) =>
      this.#take(watch, answer),
    );
    this.#asking.add(asking);
    void asking.finally(() => this.#asking.delete(asking));
  }

  #take(watch: Watch, answer: Answer): void {
    if (watch.over.signal.aborted) return;
    const { clock, onChange } = this.#options;
    const before = watch.health;
    const sinceStartMs = clock.nowMs() - watch.startedAtMs;
    watch.health = afterAnswer(watch.timing, before, answer.passed, sinceStartMs);
    watch.problem = answer.passed ? undefined : answer.problem;
    this.#later(watch, pauseMs(watch.timing, watch.health));
    if (watch.health.state !== before.state) onChange();
  }

  #end(watch: Watch): void {
    watch.over.abort();
    clearTimeout(watch.timer);
    this.#watches.delete(watch.replica);
  }
}

function asWatched(
  replica: ObservedReplica,
  { health: { state, failures }, problem }: Watch,
  livenessFailures = Number.POSITIVE_INFINITY,
): ObservedReplica {
  const why = state === "running" || problem === undefined ? {} : { notReadyBecause: problem };
  if (failures >= livenessFailures) return { ...replica, state: "unhealthy", live: false, ...why };
  return { ...replica, state, ...why };
}

function endpointOf(replica: ObservedReplica, probe: Probe): Endpoint | undefined {
  if (probe.port === undefined) return replica.endpoints[0];
  return replica.endpoints.find((endpoint) => endpoint.targetPort === probe.port);
}

function isSame(a: Probe, b: Probe): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
