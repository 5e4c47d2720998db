import { messageOf } from "../../../core/errors.ts";
import type { ReplicaId } from "../../../core/types.ts";
import type { EngineScene, LogBounds } from "../../engine.ts";
import type { LogFiles } from "./logs.ts";
import type { ReplicaRecord } from "./record.ts";

/** What is on disk of a replica that failed: its record, and the end of its log. */
export async function sceneOf(
  logs: LogFiles,
  record: ReplicaRecord | undefined,
  replica: ReplicaId,
  bounds: LogBounds,
): Promise<EngineScene> {
  if (record === undefined) return { missing: [`inspect: there is no replica ${replica}`] };
  const { run } = record;
  const known = {
    ...(run === undefined ? {} : { startedAtMs: run.startedAtMs }),
    ...(run?.exit === undefined ? {} : { exitedAtMs: run.exit.atMs }),
    ...(run?.exit?.code === undefined ? {} : { exitCode: run.exit.code }),
    ...(run?.exit?.oomKilled === undefined ? {} : { oomKilled: run.exit.oomKilled }),
    inspect: record,
  };
  try {
    return { ...known, log: await logs.end(replica, bounds.bytes), missing: [] };
  } catch (error) {
    return { ...known, missing: [`log: ${messageOf(error)}`] };
  }
}
