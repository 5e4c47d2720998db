import type { ReplicaId, Target } from "../../core/types.ts";
import type { Discovered } from "./discovered.ts";

const CPU_PERIOD_MICROSECONDS = 100_000;

/**
 * What is to be read: every container that the engine shows, and every replica that the daemon names. Of a replica that
 * both know, the engine says what it is and the daemon what it is called by the business.
 */
export function joinTargets(
  containers: ReadonlyMap<ReplicaId, Discovered>,
  targets: readonly Target[],
): Map<ReplicaId, Discovered> {
  const joined = new Map(containers);
  for (const target of targets) {
    const found = containers.get(target.replica);
    joined.set(
      target.replica,
      found === undefined
        ? discoveredFromTarget(target)
        : {
            ...found,
            labels: { ...found.labels, ...target.labels },
            ...(target.endpoints === undefined ? {} : { endpoints: target.endpoints }),
          },
    );
  }
  return joined;
}

/** A replica as far as the daemon tells of it. */
function discoveredFromTarget(target: Target): Discovered {
  const { replica, kind, pid, name, image, labels, createdAtMs, startedAtMs, health, endpoints } = target;
  const { cores, memoryBytes } = target.limits ?? {};
  return {
    id: replica,
    kind,
    pid,
    name: name ?? replica,
    ...(image === undefined ? {} : { image }),
    labels: labels ?? {},
    ...(createdAtMs === undefined ? {} : { createdAtMs }),
    ...(startedAtMs === undefined ? {} : { startedAtMs }),
    ...(health === undefined ? {} : { health }),
    // A process has the host's own; of a container the daemon does not say.
    network: kind === "process" ? "host" : "own",
    limits: {
      ...(cores === undefined
        ? {}
        : {
            cpuQuotaMicroseconds: Math.round(cores * CPU_PERIOD_MICROSECONDS),
            cpuPeriodMicroseconds: CPU_PERIOD_MICROSECONDS,
          }),
      ...(memoryBytes === undefined ? {} : { memoryBytes }),
    },
    volumes: [],
    ...(endpoints === undefined ? {} : { endpoints }),
  };
}
