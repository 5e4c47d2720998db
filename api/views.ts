import { cpuCapacityCores, memoryCapacityBytes } from "../core/capacity.ts";
import type { Decision, ObservedReplica, Sample, Service } from "../core/types.ts";
import type { ReplicaView, ServiceDetail, ServiceView } from "../core/wire.ts";

/** All that is known of a service at one moment. */
export interface ServiceFacts {
  readonly service: Service;
  readonly desired: number;
  readonly replicas: readonly ObservedReplica[];
  /** The newest reading of a replica; absent when there is none, or when it is too old to speak of now. */
  readonly newest: (replica: ObservedReplica) => Sample | undefined;
  readonly lastDecision: Decision | undefined;
  readonly holds: readonly string[];
  /** Whether its rules scale it; absent: not evaluated yet, or it has none. */
  readonly mode?: "live" | "shadow" | "paused" | undefined;
}

const ENDED: ReadonlySet<ObservedReplica["state"]> = new Set(["created", "exited", "stopping"]);

export function serviceView(facts: ServiceFacts): ServiceView {
  const { service, desired, replicas, lastDecision, mode } = facts;
  const { scaling } = service;
  const ready = replicas.filter((replica) => replica.state === "running");
  const maxRatio = (metric: "cpu" | "memory") => scaling?.rules.find((rule) => rule.metric === metric)?.max;
  const maxCpuRatio = maxRatio("cpu");
  const maxMemoryRatio = maxRatio("memory");
  return {
    id: service.id,
    project: service.project,
    name: service.name,
    replicas: {
      desired,
      running: replicas.filter((replica) => !ENDED.has(replica.state)).length,
      ready: ready.length,
      ...(scaling === undefined ? {} : { min: scaling.minReplicas, max: scaling.maxReplicas }),
    },
    load: loadOf(facts, ready),
    ...(scaling === undefined
      ? {}
      : {
          autoscale: {
            ...(maxCpuRatio === undefined ? {} : { maxCpuRatio }),
            ...(maxMemoryRatio === undefined ? {} : { maxMemoryRatio }),
            step: scaling.step,
            dryRun: scaling.dryRun,
            ...(mode === undefined ? {} : { mode }),
          },
        }),
    businessLabels: service.businessLabels,
    ...(lastDecision === undefined ? {} : { lastDecision: lastDecision }),
  };
}

export function serviceDetail(facts: ServiceFacts): ServiceDetail {
  const replicas = facts.replicas.toSorted((a, b) => a.slot - b.slot);
  return {
    ...serviceView(facts),
    replicaList: replicas.map((replica) => replicaView(replica, facts.newest(replica))),
    holds: [...facts.holds],
  };
}

function replicaView(replica: ObservedReplica, sample: Sample | undefined): ReplicaView {
  const {
    project: _project,
    service: _service,
    templateHash: _hash,
    exitedAtMs: _exited,
    ...shown
  } = replica;
  return {
    ...shown,
    endpoints: [...replica.endpoints],
    notEnforced: [...replica.notEnforced],
    ...(sample?.cpuCores === undefined ? {} : { cpuCores: sample.cpuCores }),
    ...(sample?.memoryWorkingSetBytes === undefined
      ? {}
      : { memoryWorkingSetBytes: sample.memoryWorkingSetBytes }),
  };
}

function loadOf(facts: ServiceFacts, ready: readonly ObservedReplica[]): ServiceView["load"] {
  const samples = ready.map(facts.newest).filter((sample) => sample !== undefined);
  const cpuCores = mean(samples.map((sample) => sample.cpuCores));
  const memoryWorkingSetBytes = mean(samples.map((sample) => sample.memoryWorkingSetBytes));
  const { resources } = facts.service.template;
  const cpuCapacity = cpuCapacityCores(resources);
  const memoryCapacity = memoryCapacityBytes(resources);
  return {
    ...(cpuCores === undefined ? {} : { cpuCores, cpuRatio: cpuCores / cpuCapacity }),
    ...(memoryWorkingSetBytes === undefined ? {} : { memoryWorkingSetBytes }),
    ...(memoryWorkingSetBytes === undefined || memoryCapacity === undefined
      ? {}
      : { memoryRatio: memoryWorkingSetBytes / memoryCapacity }),
    ...(samples.length === 0 ? {} : { readAtMs: Math.min(...samples.map((sample) => sample.readAtMs)) }),
  };
}

function mean(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length;
}
