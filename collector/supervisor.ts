import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Clock } from "../core/clock.ts";
import { formatError } from "../core/errors.ts";
import { type LinkPeer, serveLink } from "../core/link.ts";
import type { ReplicaId, Target } from "../core/types.ts";
import type { Batch } from "./batch.ts";
import { decodeBatch, type SamplesMessage } from "./batch-codec.ts";
import {
  bestClockOffset,
  type ClockAnswer,
  type ClockOffset,
  clockOffset,
  withClockOffset,
} from "./clock-offset.ts";
import { collectorCommand, makeCacheDirectory } from "./launch.ts";
import { COLLECTOR_LINK, type FromCollector, type FromDaemon, isFromCollector } from "./messages.ts";
import { restartDelay } from "./restart-delay.ts";
import type { CollectorRun, CollectorSettings } from "./settings.ts";

/** `starting` no batch yet · `running` batches arrive · `dead` it ended and is started again shortly. */
export type CollectorState = "starting" | "running" | "dead";

/** The part of a log that is used here; pino's fits. */
export interface CollectorLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** With the settings of the process: what it offers to others, and which engine it asks. */
export interface CollectorOptions extends Partial<Omit<CollectorSettings, "intervalMs" | "root">> {
  readonly dataDirectory: string;
  /** From one reading of all targets to the next. */
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly log: CollectorLog;
  /** Called for each tick, with what could be read. */
  readonly onBatch: (batch: Batch) => void;
  readonly onStateChange?: (state: CollectorState) => void;
}

export interface Collector extends AsyncDisposable {
  /** What to read from now on: always the whole list. */
  setTargets(targets: readonly Target[]): void;
  readonly state: CollectorState;
  /** Of the process that runs now. */
  readonly pid: number | undefined;
  /** How often it was started again. */
  readonly restarts: number;
  /** Batches that the running process had to drop because they were not taken in time. */
  readonly droppedBatches: number;
  /** Of the clock that the samples' times are from; undefined until it was measured. */
  readonly clockOffset: ClockOffset | undefined;
}

const WATCH_INTERVAL_MS = 1_000;
/** A process that says nothing for so long hangs. */
const SILENCE_MIN_MS = 10_000;
const SILENCE_INTERVALS = 5;
/** One that has yet to connect may only be waiting for the CPU, which is when it is needed most. */
const START_SILENCE_MS = 60_000;
const STOP_GRACE_MS = 1_000;
/** From one question for the collector's time to the next. */
const CLOCK_INTERVAL_MS = 10_000;
/** A difference that makes windows of seconds wrong. */
const LARGE_OFFSET_MS = 1_000;

/**
 * Runs the collector in a process of its own and keeps it running, until disposed of.
 * @throws FlyballError STORE_UNUSABLE when the link's socket cannot be made under the data directory
 */
export async function startCollector(options: CollectorOptions): Promise<Collector> {
  const supervisor = new Supervisor(options);
  await supervisor.start();
  return supervisor;
}

/** The ids of one list of targets that was sent, by position. */
interface SentList {
  readonly revision: number;
  readonly replicas: readonly ReplicaId[];
}

class Supervisor implements Collector {
  readonly #options: CollectorOptions;
  readonly #linkDirectory: string;
  #cacheDirectory: string | undefined;
  readonly #resources = new AsyncDisposableStack();
  #state: CollectorState = "starting";
  #restarts = 0;
  #droppedBatches = 0;
  #child: ChildProcess | undefined;
  #startedAtMs = 0;
  #restartDelayMs: number | undefined;
  #restartTimer: NodeJS.Timeout | undefined;
  #stopped: Promise<void> | undefined;
  /** The connection that the running process opened. */
  #peer: LinkPeer<FromDaemon> | undefined;
  #targets: readonly Target[] = [];
  #revision = 0;
  /** Lists that batches on their way may still refer to, oldest first. */
  #sentLists: SentList[] = [];
  /** The last list did not go out: the connection is full. */
  #unsent = false;
  #silentChecks = 0;
  #clockOffsets: readonly ClockOffset[] = [];
  #toldOfOffset = false;

  constructor(options: CollectorOptions) {
    this.#options = options;
    this.#linkDirectory = join(options.dataDirectory, "link");
  }

  get state(): CollectorState {
    return this.#state;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get restarts(): number {
    return this.#restarts;
  }

  get droppedBatches(): number {
    return this.#droppedBatches;
  }

  get clockOffset(): ClockOffset | undefined {
    return bestClockOffset(this.#clockOffsets);
  }

  async start(): Promise<void> {
    const cacheDirectory = makeCacheDirectory(this.#options.dataDirectory);
    const server = await serveLink<FromCollector, FromDaemon>({
      directory: this.#linkDirectory,
      name: COLLECTOR_LINK,
      isMessage: isFromCollector,
      onMessage: (message, peer) => this.#receive(message, peer),
      onDisconnect: (peer) => {
        if (peer === this.#peer) this.#peer = undefined;
      },
      onProblem: (problem) => this.#options.log.warn({ error: formatError(problem) }, "collector link"),
    });
    this.#resources.use(server);
    const watch = setInterval(() => this.#watch(), WATCH_INTERVAL_MS);
    const asking = setInterval(() => this.#askClock(), CLOCK_INTERVAL_MS);
    this.#resources.defer(() => {
      clearInterval(watch);
      clearInterval(asking);
    });
    this.#cacheDirectory = cacheDirectory;
    this.#spawn();
  }

  setTargets(targets: readonly Target[]): void {
    this.#targets = targets;
    this.#revision += 1;
    this.#sendTargets();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    clearTimeout(this.#restartTimer);
    const child = this.#child;
    if (child !== undefined) {
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      const force = setTimeout(() => child.kill("SIGKILL"), STOP_GRACE_MS);
      await exited;
      clearTimeout(force);
    }
    await this.#resources.disposeAsync();
    this.#setState("dead");
  }

  #spawn(): void {
    const { log, clock } = this.#options;
    const run: CollectorRun = {
      kind: "child",
      linkDirectory: this.#linkDirectory,
      settings: settingsOf(this.#options),
    };
    const { file, words, environment } = collectorCommand(run, this.#cacheDirectory);
    // The first one has filled the compile cache: those after it start in half the time.
    const cached = this.#restarts > 0 ? ["--cached"] : [];
    // The daemon's environment holds tokens and passwords; the collector gets what it needs of it and no more.
    const child = spawn(file, [...words, ...cached], {
      env: environment,
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#child = child;
    this.#startedAtMs = clock.monotonicMs();
    this.#silentChecks = 0;
    this.#droppedBatches = 0;
    this.#setState("starting");
    createInterface({ input: child.stderr }).on("line", (line) =>
      log.warn({ pid: child.pid }, `collector: ${line}`),
    );
    // An executable that cannot be started gives an error and no exit.
    child.once("error", (error) => this.#ended(child, error.message));
    child.once("exit", (code, signal) => this.#ended(child, signal ?? `exit status ${code}`));
  }

  #ended(child: ChildProcess, reason: string): void {
    if (child !== this.#child) return;
    this.#child = undefined;
    this.#peer = undefined;
    if (this.#stopped !== undefined) return;
    const livedMs = this.#options.clock.monotonicMs() - this.#startedAtMs;
    this.#restartDelayMs = restartDelay(this.#restartDelayMs, livedMs);
    this.#options.log.warn(
      { reason, livedMs: Math.round(livedMs), restartInMs: this.#restartDelayMs },
      "the collector ended; it is started again",
    );
    this.#setState("dead");
    this.#restartTimer = setTimeout(() => {
      this.#restarts += 1;
      this.#spawn();
    }, this.#restartDelayMs);
  }

  #receive(message: FromCollector, peer: LinkPeer<FromDaemon>): void {
    if (message.type === "hello") {
      // One left over from an earlier daemon would tell of targets that this one never named.
      if (message.pid !== this.#child?.pid) {
        peer.drop();
        return;
      }
      this.#peer = peer;
      this.#silentChecks = 0;
      this.#sentLists = [];
      this.#clockOffsets = [];
      this.#sendTargets();
      this.#askClock();
      return;
    }
    if (peer !== this.#peer) {
      peer.drop();
      return;
    }
    if (message.type === "clock") this.#receiveClock(message);
    else this.#receiveSamples(message, peer);
  }

  #askClock(): void {
    this.#peer?.send({ type: "clock", askedAtMs: this.#options.clock.nowMs() });
  }

  #receiveClock(answer: ClockAnswer): void {
    const measured = clockOffset(answer, this.#options.clock.nowMs());
    if (measured === undefined) return;
    this.#clockOffsets = withClockOffset(this.#clockOffsets, measured);
    const best = this.clockOffset ?? measured;
    const isLarge = Math.abs(best.offsetMs) - best.roundTripMs / 2 > LARGE_OFFSET_MS;
    if (isLarge && !this.#toldOfOffset) {
      this.#options.log.warn({ ...best }, "the collector's clock and the daemon's are not the same");
    }
    this.#toldOfOffset = isLarge;
  }

  #receiveSamples(message: SamplesMessage, peer: LinkPeer<FromDaemon>): void {
    this.#silentChecks = 0;
    this.#droppedBatches = message.droppedBatches;
    // Batches come in order: none will refer to an earlier list again.
    this.#sentLists = this.#sentLists.filter((list) => list.revision >= message.revision);
    const list = this.#sentLists.find((sent) => sent.revision === message.revision);
    // Before its first list the collector reads nothing.
    const batch = decodeBatch(message, list?.replicas ?? []);
    if (batch === undefined) {
      this.#options.log.warn(
        { revision: message.revision },
        "the collector's batch names targets it was not given",
      );
      peer.drop();
      return;
    }
    this.#setState("running");
    this.#options.onBatch(batch);
  }

  #sendTargets(): void {
    if (this.#peer === undefined) return;
    const replicas = this.#targets.map((target) => target.replica);
    this.#unsent = !this.#peer.send({ type: "targets", revision: this.#revision, targets: this.#targets });
    if (!this.#unsent) this.#sentLists.push({ revision: this.#revision, replicas });
  }

  #watch(): void {
    if (this.#unsent) this.#sendTargets();
    // Counted in checks, not by the clock: when the daemon itself stood still, so did the reading of the link.
    this.#silentChecks += 1;
    const limitMs =
      this.#peer === undefined
        ? START_SILENCE_MS
        : Math.max(SILENCE_MIN_MS, SILENCE_INTERVALS * this.#options.intervalMs);
    if (this.#child === undefined || this.#silentChecks * WATCH_INTERVAL_MS < limitMs) return;
    this.#options.log.warn(
      { pid: this.#child.pid, silentMs: limitMs },
      "the collector says nothing; it is killed",
    );
    this.#silentChecks = 0;
    this.#child.kill("SIGKILL");
  }

  #setState(state: CollectorState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#options.onStateChange?.(state);
  }
}

function settingsOf(options: CollectorOptions): CollectorSettings {
  const { intervalMs, metrics, dockerHost, runtimeDirectory, labels, remoteWrite } = options;
  return {
    intervalMs,
    root: "/",
    labels: labels ?? {},
    ...(metrics === undefined ? {} : { metrics }),
    ...(dockerHost === undefined ? {} : { dockerHost }),
    ...(runtimeDirectory === undefined ? {} : { runtimeDirectory }),
    ...(remoteWrite === undefined ? {} : { remoteWrite }),
  };
}
