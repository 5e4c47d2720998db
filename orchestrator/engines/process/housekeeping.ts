import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { FlyballError, isSystemError } from "../../../core/errors.ts";
import type { ReplicaId } from "../../../core/types.ts";
import type { Found } from "../../housekeeping/found.ts";
import type { ReplicaRecord } from "./record.ts";

/** The log of a replica, or one that was set aside when it had grown. */
const LOG_NAME = /^([0-9a-f]{16})\.log(?:\.\d+)?$/u;
const UNREADABLE_NAME = /^[^/]+\.json\.unreadable$/u;

export interface Places {
  /** Of the records. */
  readonly directory: string;
  readonly logDirectory: string;
}

/** Replicas, and the files that were once of a replica. */
export async function inventory(places: Places, records: readonly ReplicaRecord[]): Promise<Found[]> {
  const known = new Set(records.map(({ id }) => id));
  const [logs, unreadable] = await Promise.all([
    files("log", places.logDirectory, (name) => isOrphanLog(name, known)),
    files("record", places.directory, (name) => UNREADABLE_NAME.test(name)),
  ]);
  return [...records.map(foundReplica), ...logs, ...unreadable];
}

/** @throws FlyballError ENGINE_REFUSED when a replica has it, or it is none of ours */
export async function discardFile(
  places: Places,
  { kind, id }: Found,
  known: ReadonlySet<ReplicaId>,
): Promise<void> {
  const isLog = kind === "log" && isOrphanLog(id, known);
  const isRecord = kind === "record" && UNREADABLE_NAME.test(id);
  if (!isLog && !isRecord) throw new FlyballError("ENGINE_REFUSED", `${id} stays: a replica has it`);
  await rm(join(isLog ? places.logDirectory : places.directory, id), { force: true });
}

function isOrphanLog(name: string, known: ReadonlySet<ReplicaId>): boolean {
  const [, replica] = LOG_NAME.exec(name) ?? [];
  return replica !== undefined && !known.has(replica);
}

async function files(
  kind: "log" | "record",
  directory: string,
  isMeant: (name: string) => boolean,
): Promise<Found[]> {
  const found: Found[] = [];
  for (const name of (await readdir(directory)).filter(isMeant)) {
    const about = await stat(join(directory, name)).catch((error: unknown) => {
      if (!isSystemError(error, "ENOENT")) throw error;
    });
    if (about?.isFile() !== true) continue;
    const { size: bytes, mtimeMs: createdAtMs } = about;
    found.push({ kind, id: name, name, bytes, createdAtMs, inUse: false, isNamed: false });
  }
  return found;
}

function foundReplica(record: ReplicaRecord): Found {
  const { id, owner, project, service, slot, createdAtMs, run } = record;
  return {
    kind: "replica",
    id,
    name: `${service}.${slot}.${id}`,
    createdAtMs,
    inUse: run !== undefined && run.exit === undefined,
    isNamed: false,
    owner,
    project,
    service,
    unstarted: run === undefined,
  };
}
