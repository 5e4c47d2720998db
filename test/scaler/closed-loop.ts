import { Series } from "../../collector/series.ts";
import type { Decision, ObservedReplica, RuleMetric, ScalingPolicy } from "../../core/types.ts";
import { SECOND_MS } from "../../core/units.ts";
import { describe } from "../../scaler/describe.ts";
import { Governor } from "../../scaler/governor.ts";
import { type LevelReader, observe } from "../../scaler/observe.ts";
import { StartTime } from "../../scaler/start-time.ts";
import { NOW_MS, replicaOf, serviceOf } from "./builders.ts";

/** Use of the rule's capacity by one replica over the last second; a metric that is absent was not read. */
export type Readings = { readonly [Metric in "cpu" | "memory"]?: number };

export interface Situation {
  readonly policy: ScalingPolicy;
  readonly replicas: number;
  /** From the order of a replica until it serves; one that never does: infinity. */
  readonly startupMs: number;
  /** What a replica is read at in a second, when so many serve. */
  readonly read: (second: number, slot: number, serving: number) => Readings;
}

/** What a replica can do at most: a load that is greater waits. */
const SATURATED = 1;

/** A demand in replicas' worth of work, shared evenly by those that serve. */
export function shareOf(demand: number, serving: number): number {
  return serving === 0 ? 0 : Math.min(demand / serving, SATURATED);
}

/**
 * A service under load, in simulated time: read once a second, decided upon at once, and its replicas started and
 * stopped as decided. Series, observation and governor are the live ones.
 */
export class ClosedLoop {
  readonly #situation: Situation;
  readonly #series = new Series();
  readonly #capacities: ReadonlyMap<RuleMetric, number>;
  #replicas: ObservedReplica[] = [];
  readonly #governor: Governor;
  readonly #startTime = new StartTime();
  #started = 0;
  #second = 0;
  desired: number;

  constructor(situation: Situation) {
    this.#situation = situation;
    this.#capacities = new Map(situation.policy.rules.map(({ metric, capacity = 1 }) => [metric, capacity]));
    this.#governor = new Governor(situation.policy);
    this.desired = situation.replicas;
    this.#start(situation.replicas, NOW_MS - 3_600 * SECOND_MS);
  }

  get second(): number {
    return this.#second;
  }

  /** One second passes. */
  step(): Decision {
    const { policy, startupMs } = this.#situation;
    const lastMs = this.#nowMs;
    this.#second += 1;
    const nowMs = this.#nowMs;
    this.#sample(lastMs);
    const service = { ...serviceOf(), scaling: policy };
    const replicas = this.#replicas.map((replica): ObservedReplica => {
      if ((replica.readyAtMs ?? 0) <= nowMs) return replica;
      const { readyAtMs: _, ...starting } = replica;
      return { ...starting, state: "starting" };
    });
    this.#startTime.observe(replicas);
    const subject = { service, desired: this.desired, replicas };
    const { output } = this.#governor.evaluate(
      {
        nowMs,
        service: service.id,
        desired: this.desired,
        ...observe(subject, policy, this.#reader, nowMs),
        single: false,
      },
      this.#startTime.expectedMs,
    );
    this.#governor.commit(output);
    const { evaluation } = output;
    this.desired = evaluation.to;
    for (const gone of this.#replicas.splice(this.desired)) this.#series.forget(gone.id);
    this.#start(this.desired - this.#replicas.length, nowMs + startupMs);
    return { ...evaluation, sentence: describe(evaluation, policy) };
  }

  get #nowMs(): number {
    return NOW_MS + this.#second * SECOND_MS;
  }

  #start(count: number, readyAtMs: number): void {
    for (let made = 0; made < count; made += 1) {
      this.#started += 1;
      const slot = this.#replicas.length + 1;
      this.#replicas.push(
        replicaOf(`replica-${this.#started}`, { slot, createdAtMs: this.#nowMs, readyAtMs }),
      );
    }
  }

  /** Replicas that served during all of the last second are read. */
  #sample(sinceMs: number): void {
    const serving = this.#replicas.filter(({ readyAtMs = 0 }) => readyAtMs <= sinceMs);
    for (const { id, slot } of serving) {
      const { cpu, memory } = this.#situation.read(this.#second, slot, serving.length);
      this.#series.append({
        replica: id,
        readAtMs: this.#nowMs,
        ...(cpu === undefined ? {} : { cpuCores: cpu * (this.#capacities.get("cpu") ?? 1) }),
        ...(memory === undefined
          ? {}
          : { memoryWorkingSetBytes: memory * (this.#capacities.get("memory") ?? 1) }),
      });
    }
  }

  readonly #reader: LevelReader = {
    ofReplica: (replica, metric, fromMs, toMs) => {
      const series = metric === "cpu" ? "cpuCores" : "memoryWorkingSetBytes";
      const window = this.#series.window(replica.id, series, fromMs, toMs);
      return window === undefined || window.count < 2 ? undefined : window;
    },
    heldBack: () => undefined,
    ofService: () => undefined,
  };
}
