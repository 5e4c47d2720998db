import { type CpuReading, cpuCoresBetween } from "../../collector/read/rates.ts";
import { Series } from "../../collector/series.ts";
import type { Evaluation, ObservedReplica, ScalingPolicy } from "../../core/types.ts";
import { SECOND_MS } from "../../core/units.ts";
import { Governor } from "../../scaler/governor.ts";
import { type LevelReader, observe } from "../../scaler/observe.ts";
import { StartTime } from "../../scaler/start-time.ts";
import { NOW_MS, replicaOf, serviceOf } from "./builders.ts";

interface Replica {
  readonly id: string;
  readonly slot: number;
  readonly createdAtMs: number;
  /** On the clock that never jumps. */
  readonly readySecond: number;
  readyAtMs: number | undefined;
  /** The kernel's counter. */
  usageSeconds: number;
  lastRead: CpuReading | undefined;
}

/** As the collector: over more than five readings missed, the counter's rise says nothing about now. */
const MAX_GAP_MS = 5 * SECOND_MS;
const LEAST_READINGS = 2;

/**
 * A service of one core per replica that is read by way of the kernel's counters, once a second, with everything that
 * can go wrong on that way. Counters, rates, series, observation and governor are the live ones.
 */
export class FaultyService {
  readonly #policy: ScalingPolicy;
  readonly #startupSeconds: number;
  readonly #series = new Series();
  readonly #governor: Governor;
  readonly #startTime = new StartTime();
  readonly #replicas: Replica[] = [];
  #made = 0;
  #second = 0;
  desired: number;

  /** In replicas' worth of work. */
  demand: number;
  /** Slots whose files cannot be read. */
  silent: ReadonlySet<number> | "all" = new Set();
  /** Slots of which the reading is not a number. */
  absurd: ReadonlySet<number> | "all" = new Set();
  /** How far the wall clock has jumped. */
  clockOffsetMs = 0;

  constructor(options: {
    policy: ScalingPolicy;
    replicas: number;
    demand: number;
    startupSeconds?: number;
  }) {
    this.#policy = options.policy;
    this.#governor = new Governor(options.policy);
    this.#startupSeconds = options.startupSeconds ?? 5;
    this.demand = options.demand;
    this.desired = options.replicas;
    for (let slot = 1; slot <= options.replicas; slot += 1) this.#make(slot, -3_600);
  }

  get second(): number {
    return this.#second;
  }

  /** A replica of the slot takes the place of the one there, and has to start. */
  replace(slot: number): void {
    const index = this.#replicas.findIndex((replica) => replica.slot === slot);
    const [old] = this.#replicas.splice(index, 1);
    if (old !== undefined) this.#series.forget(old.id);
    this.#make(slot, this.#second + this.#startupSeconds);
  }

  /** The container was started anew under the same id: what it used is counted from nothing. */
  resetCounter(slot: number): void {
    const replica = this.#replicas.find((one) => one.slot === slot);
    if (replica !== undefined) replica.usageSeconds = 0;
  }

  /** One second passes, and is decided upon. */
  step(): Evaluation {
    this.#second += 1;
    this.#work();
    this.#read();
    const service = serviceOf({ scaling: this.#policy });
    const replicas = this.#replicas.map((replica) => this.#observed(replica));
    this.#startTime.observe(replicas);
    const subject = { service, desired: this.desired, replicas };
    const observed = observe(subject, this.#policy, this.#reader, this.#nowMs);
    const situation = { nowMs: this.#nowMs, service: service.id, desired: this.desired, ...observed };
    const { output } = this.#governor.evaluate({ ...situation, single: false }, this.#startTime.expectedMs);
    this.#governor.commit(output);
    this.#become(output.evaluation.to);
    return output.evaluation;
  }

  get #nowMs(): number {
    return NOW_MS + this.#second * SECOND_MS + this.clockOffsetMs;
  }

  #make(slot: number, readySecond: number): void {
    this.#made += 1;
    this.#replicas.push({
      id: `replica-${this.#made}`,
      slot,
      createdAtMs: this.#nowMs,
      readySecond,
      readyAtMs: readySecond < 0 ? NOW_MS + readySecond * SECOND_MS : undefined,
      usageSeconds: 0,
      lastRead: undefined,
    });
  }

  #become(count: number): void {
    this.desired = count;
    this.#replicas.sort((a, b) => a.slot - b.slot);
    for (const { id } of this.#replicas.splice(count)) this.#series.forget(id);
    for (let slot = this.#replicas.length + 1; slot <= count; slot += 1) {
      this.#make(slot, this.#second + this.#startupSeconds);
    }
  }

  /** Those that serve share the demand; those that start burn all they can get. */
  #work(): void {
    const serving = this.#replicas.filter(({ readySecond }) => readySecond < this.#second);
    for (const replica of this.#replicas) {
      const serves = replica.readySecond < this.#second;
      replica.usageSeconds += serves ? Math.min(this.demand / serving.length, 1) : 1;
    }
  }

  #read(): void {
    for (const replica of this.#replicas) {
      if (isAmong(this.silent, replica.slot)) continue;
      const now = { cpuUsageSeconds: replica.usageSeconds, atMonotonicMs: this.#second * SECOND_MS };
      const cpuCores = isAmong(this.absurd, replica.slot)
        ? Number.NaN
        : cpuCoresBetween(replica.lastRead, now, MAX_GAP_MS);
      replica.lastRead = now;
      this.#series.append({
        replica: replica.id,
        readAtMs: this.#nowMs,
        ...(cpuCores === undefined ? {} : { cpuCores }),
      });
    }
  }

  #observed(replica: Replica): ObservedReplica {
    const { id, slot, createdAtMs, readySecond } = replica;
    if (readySecond > this.#second) {
      const { readyAtMs: _, ...starting } = replicaOf(id, { slot, createdAtMs, state: "starting" });
      return starting;
    }
    replica.readyAtMs ??= this.#nowMs;
    return replicaOf(id, { slot, createdAtMs, readyAtMs: replica.readyAtMs });
  }

  readonly #reader: LevelReader = {
    ofReplica: ({ id }, _metric, fromMs, toMs) => {
      const window = this.#series.window(id, "cpuCores", fromMs, toMs);
      return window === undefined || window.count < LEAST_READINGS ? undefined : window;
    },
    heldBack: () => undefined,
    ofService: () => undefined,
  };
}

function isAmong(slots: ReadonlySet<number> | "all", slot: number): boolean {
  return slots === "all" || slots.has(slot);
}
