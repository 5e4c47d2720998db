import { cpuCapacityCores, memoryCapacityBytes } from "../core/capacity.ts";
import type { Service } from "../core/types.ts";
import { DAY_MS } from "../core/units.ts";
import type { History, HistoryMinute } from "../core/wire-history.ts";

/** A minute of a service as it is kept. What was not read in it is absent. */
export interface KeptMinute {
  readonly atMs: number;
  readonly readings: number;
  readonly replicas: number;
  /** Of the service as a whole. */
  readonly cpuCores?: number;
  readonly memoryWorkingSetBytes?: number;
  readonly requestsPerSecond?: number;
}

export interface HistoryFacts {
  readonly service: Service;
  /** How long a replica takes to serve; absent when none was watched. */
  readonly startupMs: number | undefined;
  /** The minutes that began at `fromMs` or later and before `toMs`, oldest first. */
  readonly read: (fromMs: number, toMs: number) => readonly KeptMinute[];
}

/** Absent: a day before the end; now. */
export interface HistorySpan {
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
}

/** No answer holds more: other services are waiting to be evaluated. */
const MOST_AT_ONCE_MS = DAY_MS;

/** What a service used, minute by minute: the first day of what was asked for, and where the next one begins. */
export function historyView(facts: HistoryFacts, span: HistorySpan, nowMs: number): History {
  const { service, startupMs, read } = facts;
  const { toMs: endMs = nowMs, fromMs = endMs - MOST_AT_ONCE_MS } = span;
  const toMs = Math.min(endMs, fromMs + MOST_AT_ONCE_MS);
  const { resources } = service.template;
  const cores = cpuCapacityCores(resources);
  const memoryBytes = memoryCapacityBytes(resources);
  const minuteView = (minute: KeptMinute): HistoryMinute => {
    const { atMs, readings, replicas, cpuCores, memoryWorkingSetBytes, requestsPerSecond } = minute;
    return {
      ...{ atMs, readings, replicas },
      demand: {
        ...(cpuCores === undefined ? {} : { cpu: cpuCores / cores }),
        ...(memoryWorkingSetBytes === undefined || memoryBytes === undefined
          ? {}
          : { memory: memoryWorkingSetBytes / memoryBytes }),
        ...(requestsPerSecond === undefined ? {} : { rps: requestsPerSecond }),
      },
    };
  };
  return {
    service: service.id,
    fromMs,
    toMs,
    ...(toMs < endMs ? { nextFromMs: toMs } : {}),
    resources,
    ...(service.scaling === undefined ? {} : { scaling: service.scaling }),
    ...(startupMs === undefined ? {} : { startupMs }),
    minutes: read(fromMs, toMs).map(minuteView),
  };
}
