import type { ReplicaId, ServiceId, TrafficReading } from "../core/types.ts";
import { addHistograms, type Histogram, histogramSince, quantileMs } from "./latency.ts";

/** What a balancer has counted since it started, for one back-end, or for one of its servers. */
export interface Counted {
  readonly backend: string;
  readonly server?: string;
  readonly requests: number;
  readonly errors: number;
  /** Now. */
  readonly open: number;
  /** Now. */
  readonly queued: number;
}

/** Everything that was counted, read at one instant. */
export interface Snapshot {
  readonly atMs: number;
  /** Of the process that counted: another one begins at zero. */
  readonly epoch: number;
  readonly counted: readonly Counted[];
  /** Answers by how long they took, by server. */
  readonly latencies: ReadonlyMap<string, Histogram>;
}

/** Whose counters they are. */
export interface Names {
  readonly serviceOf: (backend: string) => ServiceId | undefined;
  readonly replicaOf: (server: string) => ReplicaId | undefined;
}

/** Since one reading, for one service or replica. */
interface Step {
  readonly atMs: number;
  readonly overMs: number;
  readonly requests: number;
  readonly errors: number;
  readonly histogram: Histogram;
}

interface Account {
  readonly service: ServiceId;
  readonly replica?: ReplicaId;
  readonly open: number;
  readonly queued: number;
  readonly requestsTotal: number;
  readonly errorsTotal: number;
  /** Of the last seconds, oldest first. */
  readonly steps: readonly Step[];
}

/** What is known of all of them; `undefined` before the first snapshot. */
export interface Accounts {
  readonly last: Snapshot;
  readonly byKey: ReadonlyMap<string, Account>;
}

/** Rates, ratios and latencies are over so long: a few readings. */
const WINDOW_MS = 3_000;

/** With one more snapshot. Services and replicas that it does not have are forgotten. */
export function account(before: Accounts | undefined, snapshot: Snapshot, names: Names): Accounts {
  const sameProcess = before?.last.epoch === snapshot.epoch;
  const older = new Map(sameProcess ? before.last.counted.map((one) => [keyOf(one), one]) : []);
  const overMs = before === undefined ? 0 : snapshot.atMs - before.last.atMs;
  const groups = Map.groupBy(snapshot.counted, (counted) => ownerOf(counted, names)?.key);
  const byKey = new Map<string, Account>();
  for (const [key, group] of groups) {
    const owner = group[0] === undefined ? undefined : ownerOf(group[0], names);
    if (key === undefined || owner === undefined) continue;
    const servers = new Set(
      owner.replica === undefined
        ? snapshot.counted
            .filter(({ backend }) => names.serviceOf(backend) === owner.service)
            .flatMap(({ server }) => server ?? [])
        : group.flatMap(({ server }) => server ?? []),
    );
    const histogram = addHistograms(
      [...servers].flatMap((server) => {
        const newer = snapshot.latencies.get(server);
        if (newer === undefined) return [];
        return [histogramSince(newer, sameProcess ? before.last.latencies.get(server) : undefined)];
      }),
    );
    const sum = (of: (counted: Counted) => number) => group.reduce((total, one) => total + of(one), 0);
    const grown = (field: "requests" | "errors") =>
      sum((one) => since(one[field], older.get(keyOf(one))?.[field]));
    const known = before?.byKey.get(key);
    // What was counted before anybody looked is in the totals, and in no rate.
    const step = {
      atMs: snapshot.atMs,
      overMs,
      requests: grown("requests"),
      errors: grown("errors"),
      histogram,
    };
    const steps = before === undefined ? [] : [...(known?.steps ?? []), step];
    byKey.set(key, {
      service: owner.service,
      ...(owner.replica === undefined ? {} : { replica: owner.replica }),
      open: sum(({ open }) => open),
      queued: sum(({ queued }) => queued),
      requestsTotal: (known?.requestsTotal ?? 0) + step.requests,
      errorsTotal: (known?.errorsTotal ?? 0) + step.errors,
      steps: steps.filter(({ atMs }) => atMs > snapshot.atMs - WINDOW_MS),
    });
  }
  return { last: snapshot, byKey };
}

export function readingsOf({ last, byKey }: Accounts): TrafficReading[] {
  return [...byKey.values()].map(({ steps, ...rest }) => {
    const sum = (field: "requests" | "errors" | "overMs") =>
      steps.reduce((total, step) => total + step[field], 0);
    const [overMs, requests] = [sum("overMs"), sum("requests")];
    const latencyMs = quantileMs(addHistograms(steps.map(({ histogram }) => histogram)), 0.95);
    return {
      ...rest,
      readAtMs: last.atMs,
      ...(overMs > 0 ? { requestsPerSecond: (requests * 1_000) / overMs } : {}),
      ...(requests > 0 ? { errorRatio: Math.min(1, sum("errors") / requests) } : {}),
      ...(latencyMs === undefined ? {} : { latencyMs }),
    };
  });
}

function ownerOf(
  { backend, server }: Counted,
  { serviceOf, replicaOf }: Names,
): { key: string; service: ServiceId; replica?: ReplicaId } | undefined {
  const service = serviceOf(backend);
  if (service === undefined) return undefined;
  if (server === undefined) return { key: service, service };
  const replica = replicaOf(server);
  return replica === undefined ? undefined : { key: `${service} ${replica}`, service, replica };
}

function keyOf({ backend, server }: Counted): string {
  return `${backend}/${server ?? ""}`;
}

function since(newer: number, older: number | undefined): number {
  return older === undefined || newer < older ? newer : newer - older;
}
