/** Processes that say in their environment that they are ours. */
import type { ReplicaId } from "../../../core/types.ts";
import { isReplicaId, VARIABLES } from "./identity.ts";
import { listProcesses, type ProcessStat, readCommandLine, readEnvironment } from "./proc.ts";
import type { ReplicaRecord } from "./record.ts";
import { isGate } from "./spawn.ts";

export interface Carrier {
  readonly process: ProcessStat;
  readonly replica: ReplicaId;
  readonly environment: Readonly<Record<string, string>>;
  readonly isHealthcheck: boolean;
}

/** Those of our instance, and those that carry the id of a replica we know. */
export function findCarriers(owner: string, known: ReadonlySet<ReplicaId>): Carrier[] {
  return listProcesses().flatMap((process) => {
    const environment = readEnvironment(process.pid);
    const replica = environment?.[VARIABLES.replica];
    if (environment === undefined || !isReplicaId(replica)) return [];
    if (environment[VARIABLES.owner] !== owner && !known.has(replica)) return [];
    // A launch that was cut off before it was written down ends by itself.
    if (isGate(readCommandLine(process.pid))) return [];
    return [{ process, replica, environment, isHealthcheck: environment[VARIABLES.role] === "healthcheck" }];
  });
}

/** The one that stands for its replica: the oldest, from which the others come; of two, the first of its session. */
export function leaderOf(carriers: readonly Carrier[]): Carrier | undefined {
  const [leader] = carriers
    .filter((carrier) => !carrier.isHealthcheck)
    .toSorted((a, b) => a.process.startTicks - b.process.startTicks || sessionRank(a) - sessionRank(b));
  return leader;
}

function sessionRank({ process }: Carrier): number {
  return process.session === process.pid ? 0 : 1;
}

/** Belongs to no template any more, so that it differs from every one that is wanted. */
const UNRECORDED = "unrecorded";

/** A record for a replica that lost its own; undefined when its environment does not say enough. */
export function orphanRecord({ replica, environment }: Carrier, nowMs: number): ReplicaRecord | undefined {
  const project = environment[VARIABLES.project];
  const service = environment[VARIABLES.service];
  const slot = Number(environment[VARIABLES.slot]);
  const port = Number(environment[VARIABLES.port]);
  const owner = environment[VARIABLES.owner];
  if (project === undefined || service === undefined || owner === undefined) return undefined;
  if (!Number.isInteger(slot) || !Number.isInteger(port)) return undefined;
  const run = environment[VARIABLES.run];
  const [task, attempt] = [Number(environment[VARIABLES.task]), Number(environment[VARIABLES.attempt])];
  return {
    version: 1,
    id: replica,
    owner,
    project,
    service,
    slot,
    templateHash: UNRECORDED,
    ...(run === undefined ? {} : { task: { run, task, attempt } }),
    createdAtMs: nowMs,
    port,
    launch: {
      argv: [],
      environment: {},
      workingDirectory: "/",
      stopSignal: "SIGTERM",
      stopGraceMs: ORPHAN_GRACE_MS,
      notEnforced: [],
    },
  };
}

/** Docker's own default, since nobody knows what the service asked for. */
const ORPHAN_GRACE_MS = 10_000;
