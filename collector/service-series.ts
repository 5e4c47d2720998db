import type { Sample, ServiceId } from "../core/types.ts";
import { Ring, type SeriesPoint, type Window } from "./ring.ts";

/** What one replica of a service may use: what its ratios are of. */
export interface ReplicaCapacity {
  readonly cpuCores: number;
  /** Absent: no limit, and no ratio. */
  readonly memoryBytes?: number;
}

/**
 * A service at one instant, over those of its replicas that gave a reading; the sums are of no more than `replicas`
 * of them. What none of them gave is absent.
 */
export interface ServiceReading {
  /** How many replicas were read. */
  readonly replicas: number;
  /** Sum of the replicas. */
  readonly cpuCores?: number;
  /** Mean of the replicas. */
  readonly cpuRatio?: number;
  /** The busiest replica. */
  readonly cpuMaxRatio?: number;
  /** Sum of the replicas. */
  readonly memoryWorkingSetBytes?: number;
  /** Mean of the replicas. */
  readonly memoryRatio?: number;
  /** The fullest replica. */
  readonly memoryMaxRatio?: number;
  /** Sum of the replicas. */
  readonly requestsPerSecond?: number;
}

const SERVICE_METRICS = [
  "replicas",
  "cpuCores",
  "cpuRatio",
  "cpuMaxRatio",
  "memoryWorkingSetBytes",
  "memoryRatio",
  "memoryMaxRatio",
  "requestsPerSecond",
] as const satisfies readonly (keyof ServiceReading)[];
export type ServiceMetric = (typeof SERVICE_METRICS)[number];

/** One hour at one reading per second. */
const DEFAULT_CAPACITY = 3_600;

/** Undefined when there is no sample: nothing was seen, which is not the same as a service without load. */
export function serviceReading(
  samples: readonly Sample[],
  capacity: ReplicaCapacity,
): ServiceReading | undefined {
  if (samples.length === 0) return undefined;
  const cpu = summary(samples.map((sample) => sample.cpuCores));
  const memory = summary(samples.map((sample) => sample.memoryWorkingSetBytes));
  const requests = summary(samples.map((sample) => sample.requestsPerSecond));
  return {
    replicas: samples.length,
    ...(cpu !== undefined && {
      cpuCores: cpu.sum,
      cpuRatio: cpu.mean / capacity.cpuCores,
      cpuMaxRatio: cpu.max / capacity.cpuCores,
    }),
    ...(memory !== undefined && { memoryWorkingSetBytes: memory.sum }),
    ...(memory !== undefined &&
      capacity.memoryBytes !== undefined && {
        memoryRatio: memory.mean / capacity.memoryBytes,
        memoryMaxRatio: memory.max / capacity.memoryBytes,
      }),
    ...(requests !== undefined && { requestsPerSecond: requests.sum }),
  };
}

/** The latest readings of each service, in memory: they stay when its replicas are replaced. */
export class ServiceSeries {
  readonly #capacity: number;
  readonly #rings = new Map<ServiceId, Ring>();

  constructor(capacity: number = DEFAULT_CAPACITY) {
    this.#capacity = capacity;
  }

  get services(): Iterable<ServiceId> {
    return this.#rings.keys();
  }

  append(service: ServiceId, atMs: number, reading: ServiceReading): void {
    let ring = this.#rings.get(service);
    if (ring === undefined) {
      ring = new Ring(SERVICE_METRICS.length, this.#capacity);
      this.#rings.set(service, ring);
    }
    ring.append(
      atMs,
      SERVICE_METRICS.map((metric) => reading[metric]),
    );
  }

  /** Over the readings after `fromMs`, up to and with `toMs`; undefined when there is none of this metric. */
  window(service: ServiceId, metric: ServiceMetric, fromMs: number, toMs: number): Window | undefined {
    return this.#rings.get(service)?.window(SERVICE_METRICS.indexOf(metric), fromMs, toMs);
  }

  /** The readings after `fromMs`, oldest first. */
  points(service: ServiceId, metric: ServiceMetric, fromMs: number): SeriesPoint[] {
    return this.#rings.get(service)?.points(SERVICE_METRICS.indexOf(metric), fromMs) ?? [];
  }

  /** Lets go of the services of which nothing was read since. */
  forgetSilentSince(atMs: number): void {
    for (const [service, ring] of this.#rings) {
      if ((ring.newestAtMs ?? 0) < atMs) this.#rings.delete(service);
    }
  }
}

function summary(
  values: readonly (number | undefined)[],
): { sum: number; mean: number; max: number } | undefined {
  let sum = 0;
  let max = Number.NEGATIVE_INFINITY;
  let count = 0;
  for (const value of values) {
    if (value === undefined) continue;
    sum += value;
    if (value > max) max = value;
    count += 1;
  }
  return count === 0 ? undefined : { sum, mean: sum / count, max };
}
